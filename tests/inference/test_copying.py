"""Greedy decoding that copies from the source writes what plain greedy decoding writes."""

import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.embedded import CHECKPOINT, CORPUS
from highlighter.inference.copying import SourceLookup, copying_from
from highlighter.inference.generation import Generated, generate_summaries, stream_summary
from highlighter.inference.word_list import WordList
from highlighter.model.checkpoint import generation_config
from highlighter.model.model import HighlightModel, load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import GenerationSettings
from tests.model.tiny_checkpoints import KINDS, TEXTS, write_checkpoint


class Shipped:
    """The small T5 that ships, and how often its decoder ran."""

    def __init__(self) -> None:
        self.model: HighlightModel = load_model(str(CHECKPOINT)).eval()
        self.tokenizer: PreTrainedTokenizerBase = load_tokenizer(str(CHECKPOINT))
        self.passes = 0
        self.model.seq2seq.get_decoder().register_forward_pre_hook(self._count)

    def _count(self, *_: object) -> None:
        self.passes += 1

    def sources(self, articles: list[str]) -> list[list[int]]:
        ids: list[list[int]] = self.tokenizer(articles)["input_ids"]
        return ids


@pytest.fixture(scope="module")
def shipped() -> Shipped:
    return Shipped()


def embedded_articles(rows: int, characters: int) -> list[str]:
    table = pq.read_table(CORPUS / "validation.parquet", columns=["article"])
    return [text[:characters] for text in table.slice(0, rows)["article"].to_pylist()]


@pytest.mark.parametrize(
    ("settings", "rows", "constrained"),
    [
        (GenerationSettings(num_beams=1, max_new_tokens=16, no_repeat_ngram_size=0), 100, False),
        (
            GenerationSettings(
                num_beams=1, min_new_tokens=12, max_new_tokens=16, no_repeat_ngram_size=3
            ),
            100,
            True,
        ),
        (GenerationSettings(num_beams=1, max_new_tokens=1), 20, True),
    ],
)
def test_every_token_is_that_of_plain_greedy_decoding(
    shipped: Shipped,
    settings: GenerationSettings,
    rows: int,
    constrained: bool,
) -> None:
    articles = embedded_articles(rows, 160)
    words = [WordList(article[:100]) for article in articles] if constrained else None
    config = generation_config(settings, shipped.tokenizer)

    def write(batch_size: int) -> list[Generated]:
        return generate_summaries(
            shipped.model.seq2seq, shipped.tokenizer, shipped.sources(articles), config,
            batch_size=batch_size, words=words,
        )  # fmt: skip

    copied = write(1)
    plain = write(60)
    assert [output.ids for output in copied] == [output.ids for output in plain]
    assert [output.confidence for output in copied] == pytest.approx(
        [output.confidence for output in plain], rel=1e-3
    )
    assert len({tuple(output.ids) for output in plain}) > 10


def test_a_stream_is_that_of_plain_greedy_decoding_in_fewer_passes(
    shipped: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = embedded_articles(3, 800)
    settings = GenerationSettings(num_beams=4, max_new_tokens=40)
    config = generation_config(settings, shipped.tokenizer)

    def write() -> list[list[str | Generated]]:
        shipped.passes = 0
        return [
            list(
                stream_summary(
                    shipped.model.seq2seq,
                    shipped.tokenizer,
                    source,
                    config,
                    words=WordList(article),
                )
            )
            for article, source in zip(articles, shipped.sources(articles), strict=True)
        ]

    copied, passes = write(), shipped.passes
    monkeypatch.setattr(SourceLookup, "follow", lambda _self, _written: [])
    plain = write()
    assert [parts[:-1] for parts in copied] == [parts[:-1] for parts in plain]
    for (*_, ours), (*_, theirs) in zip(copied, plain, strict=True):
        assert isinstance(ours, Generated)
        assert isinstance(theirs, Generated)
        assert ours.ids == theirs.ids
    assert passes < 0.7 * shipped.passes


@pytest.mark.parametrize("kind", KINDS)
def test_each_family_keeps_right_guesses_and_rejects_wrong_ones(kind: str, tmp_path: Path) -> None:
    folder = write_checkpoint(kind, tmp_path / "hub")
    model, tokenizer = load_model(str(folder)).seq2seq.eval(), load_tokenizer(str(folder))
    settings = GenerationSettings(num_beams=1, min_new_tokens=30, max_new_tokens=30)
    config = generation_config(settings, tokenizer, model.generation_config)
    passes = []
    model.get_decoder().register_forward_pre_hook(lambda *_: passes.append(1))
    batch = tokenizer(TEXTS[0][:60], return_tensors="pt")
    expected = model.generate(**batch, generation_config=config)[0].tolist()
    plain = len(passes)
    draw = random.Random(5)
    for wrong in (0, 1, 3, 6):
        source = list(expected)
        for place in draw.sample(range(2, len(source)), wrong):
            source[place] = 7
        passes.clear()
        found = model.generate(
            **batch, generation_config=config, custom_generate=copying_from(source)
        )
        assert found[0].tolist() == expected
        if wrong < 6:
            assert len(passes) < plain


def test_a_guess_follows_the_longest_match_and_the_order_of_the_source() -> None:
    lookup = SourceLookup([5, 6, 7, 8, 1, 6, 7, 9, 2, 7, 3])
    assert lookup.follow([0]) == []
    assert lookup.follow([0, 1, 6, 7])[:2] == [9, 2]
    assert lookup.follow([4, 7]) == [9, 2, 7, 3]  # not before the last guess
    assert lookup.follow([9, 2, 7]) == [3]
    assert lookup.follow([4, 7]) == [3]
    assert lookup.follow([4, 5])[:2] == [6, 7]
    assert lookup.follow([3]) == []
