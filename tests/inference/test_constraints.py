"""A summary has only names and numbers of its article, however bad the model."""

import datasets
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from highlighter.inference.constraints import ArticleWords
from highlighter.inference.generation import generate_summaries
from highlighter.inference.word_list import WordList
from highlighter.model.build import build_model
from highlighter.model.checkpoint import generation_config
from highlighter.settings import GenerationSettings, ScratchModel

TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)


@pytest.fixture(scope="module")
def tokens(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    return tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))


def _strange_words(text: str, words: WordList) -> list[str]:
    """Capitalised words and numbers inside sentences that are not the article's."""
    strange, opens = [], True
    for word in text.split():
        bare = word.lstrip("\"'“”‘’()[]{}.,;:!?…-–—")
        guarded = bare[:1].isupper() or any(c.isdigit() for c in bare)
        if guarded and not opens and not words.may_end(bare, opens_sentence=False):
            strange.append(word)
        opens = word.endswith((".", "!", "?"))
    return strange


@pytest.mark.parametrize("beams", [1, 3])
def test_a_random_model_generates_no_other_names(
    tokenizer: PreTrainedTokenizerBase, articles: datasets.DatasetDict, beams: int
) -> None:
    model = build_model(TINY, tokenizer, seed=5).seq2seq.eval()
    torch.manual_seed(1)
    torch.nn.init.normal_(model.shared.weight, std=3.0)  # makes any token probable
    texts = articles["test"]["article"][:6]
    sources = [ids[:60] for ids in tokenizer(texts)["input_ids"]]
    settings = GenerationSettings(num_beams=beams, min_new_tokens=30, max_new_tokens=30)
    config = generation_config(settings, tokenizer)
    # Only pieces of words: no special tokens, bytes, or padding of the vocabulary.
    pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    config.suppress_tokens = [
        *(token for token, piece in enumerate(pieces) if piece.startswith("<")),
        *range(len(pieces), model.config.vocab_size),
    ]
    words = [WordList(text) for text in texts]
    strange = []
    for allowed in (None, words):
        outputs = generate_summaries(model, tokenizer, sources, config, batch_size=4, words=allowed)
        # The last word may be cut off at the limit.
        decoded = [tokenizer.decode(output.ids) for output in outputs]
        strange.append(
            sum(
                len(_strange_words(text.rsplit(" ", 1)[0], known))
                for text, known in zip(decoded, words, strict=True)
            )
        )
    free, held = strange
    assert free > 0
    assert held == 0


def test_a_first_name_keeps_its_surname(
    tokenizer: PreTrainedTokenizerBase, tokens: list[str]
) -> None:
    words = WordList("Talks began when Ann Ashford met Bob Singh in the town hall.")

    def held(text: str) -> torch.Tensor:
        # The names' first letters are pieces of their own.
        written = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokens.index("▁")]
        scores = torch.zeros(1, len(tokens))
        scores[0, [tokens.index("A"), tokens.index("S")]] = 5.0
        processor = ArticleWords([words], 1, tokenizer)
        return processor(torch.tensor([[0, *written]]), scores)[0]

    after_ann, after_comma = held("Talks with Ann"), held("Talks with Ann,")
    assert after_ann[tokens.index("A")] == 5.0
    assert after_ann[tokens.index("S")] == -torch.inf
    assert after_comma[tokens.index("S")] == 5.0


def test_a_byte_token_is_its_character_and_the_unknown_token_is_forbidden(
    tokenizer: PreTrainedTokenizerBase, tokens: list[str]
) -> None:
    words = WordList("Talks began when Ann Ashford met Bob in the town hall.")
    likely = [tokens.index(piece) for piece in ("<0x39>", "<0x2C>", "<0xC3>", "s")]
    likely.append(tokenizer.unk_token_id)
    scores = torch.zeros(1, len(tokens))
    scores[0, likely] = 5.0
    written = tokenizer("Talks with Ann", add_special_tokens=False)["input_ids"]
    held = ArticleWords([words], 1, tokenizer)(torch.tensor([[0, *written]]), scores)[0]
    assert [bool(held[token] == 5.0) for token in likely] == [False, True, True, True, False]


def test_a_word_that_cannot_be_completed_ends(
    tokenizer: PreTrainedTokenizerBase, tokens: list[str]
) -> None:
    words = WordList("Talks began when Ann Ashford met Bob in the town hall.")
    written = tokenizer("Talks with Zed", add_special_tokens=False)["input_ids"]
    start, inside = tokens.index("▁"), tokens.index("s")
    scores = torch.zeros(1, len(tokens))
    scores[0, [start, inside]] = 5.0
    held = ArticleWords([words], 1, tokenizer)(torch.tensor([[0, *written]]), scores)[0]
    assert held[start] == 5.0
    assert held[inside] == -torch.inf


def test_each_beam_is_restricted_to_its_own_article(
    tokenizer: PreTrainedTokenizerBase, tokens: list[str]
) -> None:
    two = [WordList("Repairs cost 31 million."), WordList("Repairs cost 58 million.")]
    processor = ArticleWords(two, 2, tokenizer)
    written = tokenizer("Repairs cost", add_special_tokens=False)["input_ids"]
    input_ids = torch.tensor([[0, *written]] * 4)
    digits = {n: tokenizer(f"{n}", add_special_tokens=False)["input_ids"][0] for n in (31, 58)}
    assert digits[31] != digits[58]
    scores = torch.zeros(4, len(tokens))
    for token in digits.values():
        scores[:, token] = 5.0
    held = processor(input_ids, scores)
    for row in range(4):
        own, other = (31, 58) if row < 2 else (58, 31)
        assert held[row, digits[own]] == 5.0
        assert held[row, digits[other]] == -torch.inf
    assert scores.max() == 5.0, "the model's own scores are left alone"
    assert scores.min() == 0.0
