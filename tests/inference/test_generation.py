"""Generated summaries, their confidence, and encoder states that are shared or known."""

import copy
import math
from pathlib import Path

import datasets
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from highlighter.data.characters import count_words
from highlighter.data.familiarity import learn_familiarity, read_familiarity
from highlighter.data.features import tokenize_splits
from highlighter.data.sentences import sentence_texts
from highlighter.inference import assembly
from highlighter.inference import attention as source_attention
from highlighter.inference.answers import HighlightRequest, Highlights
from highlighter.inference.generation import generate_summaries
from highlighter.inference.summarizer import Summarizer
from highlighter.metrics.rouge import sentences_on_lines
from highlighter.model.build import build_model
from highlighter.model.checkpoint import (
    finish_checkpoint,
    generation_config,
    read_highlight_settings,
    save_checkpoint,
    write_highlight_settings,
)
from highlighter.model.model import HighlightModel
from highlighter.settings import (
    Calibration,
    GenerationSettings,
    HighlightSettings,
    MapSettings,
    ScratchModel,
    TextSettings,
    TrustSettings,
)

TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerBase) -> HighlightModel:
    return build_model(TINY, tokenizer, seed=3).eval()


@pytest.mark.parametrize("beams", [1, 3])
def test_confidence_is_the_geometric_mean_of_the_written_tokens_probabilities(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, beams: int
) -> None:
    settings = GenerationSettings(num_beams=beams, min_new_tokens=2, max_new_tokens=9)
    config = generation_config(settings, tokenizer)
    config.suppress_tokens = [tokenizer.pad_token_id]  # which a random model may write
    sources = [[*range(10, 10 + n), 1] for n in (3, 12, 7)]
    together = generate_summaries(model.seq2seq, tokenizer, sources, config, batch_size=3)
    for source, generated in zip(sources, together, strict=True):
        [alone] = generate_summaries(model.seq2seq, tokenizer, [source], config, batch_size=1)
        assert alone.ids == generated.ids
        ended = len(generated.ids) < 9
        written = torch.tensor([[0, *generated.ids, *([1] if ended else [])]])
        with torch.inference_mode():
            logits = model.seq2seq(
                input_ids=torch.tensor([source]), decoder_input_ids=written[:, :-1]
            ).logits
        probabilities = logits.softmax(-1).gather(-1, written[:, 1:, None])
        expected = probabilities.log().mean().exp().item()
        assert generated.confidence == pytest.approx(expected, rel=1e-4)
        assert alone.confidence == pytest.approx(expected, rel=1e-4)


def test_beams_that_are_exchanged_keep_their_own_article(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    settings = GenerationSettings(num_beams=4, min_new_tokens=12, max_new_tokens=12)
    config = generation_config(settings, tokenizer)
    sources = [[*range(first, first + 20), 1] for first in (10, 60, 110)]
    ours = generate_summaries(model.seq2seq, tokenizer, sources, config, batch_size=3)
    batch = tokenizer.pad({"input_ids": sources}, return_tensors="pt")
    theirs = model.seq2seq.generate(**batch, generation_config=config)[:, 1:].tolist()
    assert [output.ids for output in ours] == [[i for i in ids if i > 1] for ids in theirs]
    assert len({tuple(output.ids) for output in ours}) == 3


@pytest.mark.parametrize("beams", [1, 4])
def test_beams_read_their_own_source_and_each_source_is_kept_once(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    monkeypatch: pytest.MonkeyPatch,
    beams: int,
) -> None:
    settings = GenerationSettings(num_beams=beams, min_new_tokens=12, max_new_tokens=12)
    config = generation_config(settings, tokenizer)
    sources = [[*range(first, first + length), 1] for first, length in ((10, 20), (60, 4), (90, 9))]
    plain = copy.deepcopy(model.seq2seq)
    plain.set_attn_implementation("eager")
    expected = generate_summaries(plain, tokenizer, sources, config, batch_size=3)
    kept = []
    attend = source_attention.sdpa_attention_forward
    monkeypatch.setattr(
        source_attention,
        "sdpa_attention_forward",
        lambda module, query, key, *rest, **more: (
            kept.append((len(key), query.shape[2])),
            attend(module, query, key, *rest, **more),
        )[1],
    )
    outputs = generate_summaries(model.seq2seq, tokenizer, sources, config, batch_size=3)
    assert [output.ids for output in outputs] == [output.ids for output in expected]
    confidences = [output.confidence for output in expected]
    assert [output.confidence for output in outputs] == pytest.approx(confidences, rel=1e-4)
    assert len({tuple(output.ids) for output in outputs}) == 3
    assert kept.count((3, beams)) >= 12 * TINY.num_decoder_layers


def test_sources_with_known_states_are_not_encoded_again(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    settings = GenerationSettings(num_beams=2, min_new_tokens=5, max_new_tokens=9)
    config = generation_config(settings, tokenizer)
    sources = [[*range(10, 10 + length), 1] for length in (3, 12, 7, 5)]
    expected = generate_summaries(model.seq2seq, tokenizer, sources, config, batch_size=3)
    with torch.inference_mode():
        known = [
            model.encoder(input_ids=torch.tensor([source])).last_hidden_state[0]
            if number != 2
            else None
            for number, source in enumerate(sources)
        ]
    read: list[int] = []
    handle = model.encoder.register_forward_pre_hook(
        lambda _, __, inputs: read.append(len(inputs["input_ids"])), with_kwargs=True
    )
    try:
        outputs = generate_summaries(
            model.seq2seq, tokenizer, sources, config, batch_size=3, states=known
        )
    finally:
        handle.remove()
    assert read == [1]
    for output, other in zip(outputs, expected, strict=True):
        assert output.ids == other.ids
        assert output.confidence == pytest.approx(other.confidence, rel=1e-4)


@pytest.mark.parametrize(("minimum", "doubted"), [(0.0, False), (1.0, True)])
def test_an_unsure_summary_is_replaced_by_the_most_salient_sentences(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
    minimum: float,
    doubted: bool,
) -> None:
    text = TextSettings(max_source_tokens=256, max_target_tokens=32)
    trust = TrustSettings(supported_facts_only=False, minimum_confidence=minimum)
    save_checkpoint(tmp_path / "tuned", model, tokenizer, text)
    finish_checkpoint(
        tmp_path / "tuned",
        GenerationSettings(num_beams=1, min_new_tokens=4, max_new_tokens=8),
        HighlightSettings(sentences=2, trust=trust),
        tmp_path / "final",
    )
    article = articles["test"][0]["article"]
    [result] = Summarizer.load(tmp_path / "final").summarize([HighlightRequest(article=article)])
    assert (result.doubt == "low_confidence") == doubted
    assert 0 < result.confidence < 1
    shown = sentences_on_lines(result.summary).split("\n")
    assert (set(shown) < set(sentence_texts(article)) and len(shown) == 2) == doubted


def test_a_summary_is_written_only_of_articles_like_those_of_the_training(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assembly, "is_damaged", lambda *_, **__: False)  # a random model's may be
    text = TextSettings(max_source_tokens=256, max_target_tokens=32)
    features, _ = tokenize_splits(articles, tokenizer, text, MapSettings(), tmp_path)
    save_checkpoint(tmp_path / "tuned", model, tokenizer, text)
    assert read_familiarity(tmp_path / "tuned") is None
    finish_checkpoint(
        tmp_path / "tuned",
        GenerationSettings(num_beams=1, min_new_tokens=4, max_new_tokens=8),
        HighlightSettings(sentences=2, trust=TrustSettings(supported_facts_only=False)),
        tmp_path / "final",
    )
    like = articles["train"][0]["article"]
    unlike = "Zqx vbjk wqfz. Xyzzy kwj qvx. Jjq zzv xkw."
    for known in (
        None,
        learn_familiarity(*(features[split]["tokens"] for split in ("train", "validation"))),
    ):
        if known:
            known.save(tmp_path / "final")
        answers = Summarizer.load(tmp_path / "final").summarize(
            [HighlightRequest(article=article) for article in (like, unlike)]
        )
        unfamiliar = [answer.doubt == "unfamiliar" for answer in answers]
        assert unfamiliar == [False, known is not None]


def scaled(score: float) -> float:
    """Return the sigmoid of twice the score's logit, less 1."""
    return 1 / (1 + math.exp(1 - 2 * math.log(score / (1 - score))))


@pytest.mark.parametrize("known", [False, True])
def test_length_and_scores_depend_on_whether_the_article_is_like_those_of_the_training(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
    known: bool,
) -> None:
    text = TextSettings(max_source_tokens=256, max_target_tokens=32)
    save_checkpoint(tmp_path / "tuned", model, tokenizer, text)
    finish_checkpoint(
        tmp_path / "tuned",
        GenerationSettings(num_beams=1, max_new_tokens=8),
        HighlightSettings(words=5, words_elsewhere=30, trust=TrustSettings(minimum_confidence=1.0)),
        tmp_path / "final",
    )
    [article] = articles["test"]["article"][:1]
    own = tokenizer(article, add_special_tokens=False)["input_ids"]
    other = tokenizer("Zqx vbjk wqfz. Xyzzy kwj qvx.", add_special_tokens=False)["input_ids"]
    tokens = own if known else other
    learn_familiarity([tokens], [tokens]).save(tmp_path / "final")
    request = HighlightRequest(article=article)
    [answer] = Summarizer.load(tmp_path / "final").summarize([request])
    settings = read_highlight_settings(tmp_path / "final")
    scaling = Calibration(slope=2.0, offset=-1.0)
    calibrated = settings.model_copy(update={"calibration": scaling})
    write_highlight_settings(tmp_path / "final", calibrated)
    summarizer = Summarizer.load(tmp_path / "final")
    *_, streamed = summarizer.stream(request)
    assert isinstance(streamed, Highlights)
    for other_answer in (*summarizer.summarize([request]), streamed):
        assert [p.score for p in other_answer.paragraphs] == pytest.approx(
            [scaled(p.score) if known else p.score for p in answer.paragraphs], abs=1e-3
        )
        assert other_answer.summary == answer.summary
    chosen = sentences_on_lines(answer.summary).split("\n")
    shortest = min(map(count_words, sentence_texts(article)))
    words = count_words(answer.summary)
    assert (words <= 10 and len(chosen) == 1) if known else abs(words - 30) <= shortest
    important = sum(paragraph.important for paragraph in answer.paragraphs)
    assert important == min(len(chosen), (len(answer.paragraphs) + 1) // 2)


@pytest.mark.parametrize("check", [True, False])
def test_an_answer_says_whether_facts_were_checked(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
    check: bool,
) -> None:
    save_checkpoint(tmp_path / "tuned", model, tokenizer, TextSettings(max_source_tokens=256))
    finish_checkpoint(
        tmp_path / "tuned",
        GenerationSettings(num_beams=1, min_new_tokens=4, max_new_tokens=8),
        HighlightSettings(sentences=2, trust=TrustSettings(supported_facts_only=check)),
        tmp_path / "final",
    )
    texts = (
        articles["test"][0]["article"],
        "Паром вернётся на линию третьего мая. Ремонт обошёлся в миллион рублей.",
        "Die Fähre fährt wieder ab dem dritten Mai, sagte der Hafen am Dienstag und bat um Geduld, "
        "weil noch nicht alle Plätze frei sind.",
    )
    answers = Summarizer.load(tmp_path / "final").summarize(
        [HighlightRequest(article=text) for text in texts]
    )
    assert [answer.facts_checked for answer in answers] == [check, False, False]
