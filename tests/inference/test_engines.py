"""Streams and CTranslate2 against the reference: torch in batches."""

from pathlib import Path

import datasets
import pytest
from transformers import GenerationConfig, PreTrainedTokenizerBase

from highlighter.data.features import tokenize_splits
from highlighter.inference.answers import HighlightRequest, Highlights, Reading
from highlighter.inference.engine_check import convert_and_check
from highlighter.inference.engines import FOLDER, CTranslate2Writer, TorchWriter, convert
from highlighter.inference.generation import Generated, generate_summaries, stream_summary
from highlighter.inference.interruption import ComputationCancelledError, interruptible
from highlighter.inference.summarizer import Summarizer
from highlighter.inference.word_list import WordList
from highlighter.model.build import build_model
from highlighter.model.checkpoint import (
    finish_checkpoint,
    generation_config,
    read_engine,
    save_checkpoint,
)
from highlighter.model.model import HighlightModel
from highlighter.settings import (
    EngineSettings,
    GenerationSettings,
    HighlightSettings,
    MapSettings,
    ScratchModel,
    TextSettings,
    TrainingSettings,
)
from highlighter.training.train import train

TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)
TEXT = TextSettings(max_source_tokens=128, max_target_tokens=32)
TRAINING = TrainingSettings(
    max_steps=150, batch_size=8, learning_rate=4e-3, evaluations=1, device="cpu", logging_steps=60
)


@pytest.fixture(scope="module")
def model(
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path_factory: pytest.TempPathFactory,
) -> HighlightModel:
    """Return a model trained for a few steps; with random weights, all tokens are tied."""
    folder = tmp_path_factory.mktemp("trained")
    features, _ = tokenize_splits(articles, tokenizer, TEXT, MapSettings(), folder)
    model = build_model(TINY, tokenizer, seed=3)
    train(
        model, tokenizer, features, text=TEXT, settings=TRAINING, seed=3,
        work_folder=folder / "work", callbacks=[],
    )  # fmt: skip
    return model.eval()


@pytest.fixture(scope="module")
def sources(tokenizer: PreTrainedTokenizerBase, articles: datasets.DatasetDict) -> list[list[int]]:
    """Return the token ids of articles' beginnings, of several lengths."""
    texts = [row["article"][: 90 + 20 * n] for n, row in enumerate(articles["test"])][:8]
    ids: list[list[int]] = tokenizer(texts)["input_ids"]
    return ids


def registered(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    **generation: int,
) -> Path:
    """Write the model as a registered checkpoint; return its folder."""
    save_checkpoint(folder / "tuned", model, tokenizer, TEXT)
    settings = GenerationSettings(**generation)
    finish_checkpoint(folder / "tuned", settings, HighlightSettings(), folder / "final")
    return folder / "final"


def config(tokenizer: PreTrainedTokenizerBase, beams: int) -> GenerationConfig:
    settings = GenerationSettings(
        num_beams=beams, min_new_tokens=3, max_new_tokens=12, no_repeat_ngram_size=2
    )
    generation = generation_config(settings, tokenizer)
    generation.suppress_tokens = [tokenizer.pad_token_id]  # which a random model may write
    return generation


def test_a_stream_is_the_greedy_summary_in_segments(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, sources: list[list[int]]
) -> None:
    several = 0
    for source in sources:
        *segments, last = stream_summary(
            model.seq2seq, tokenizer, source, config(tokenizer, beams=3)
        )
        greedy = config(tokenizer, beams=1)
        [expected] = generate_summaries(model.seq2seq, tokenizer, [source], greedy, batch_size=1)
        assert last == expected
        whole = tokenizer.decode(expected.ids, skip_special_tokens=True)
        assert "".join(segment for segment in segments if isinstance(segment, str)) == whole
        if len(whole.split()) > 1:
            assert len(segments) > 1
            several += 1
    assert several  # otherwise nothing was streamed in segments


def test_closing_a_stream_stops_the_generation(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, sources: list[list[int]]
) -> None:
    long = config(tokenizer, beams=1)
    long.min_new_tokens = long.max_new_tokens = 400
    long.no_repeat_ngram_size = 0
    steps = []
    handle = model.seq2seq.decoder.register_forward_hook(lambda *_: steps.append(1))
    try:
        stream = stream_summary(model.seq2seq, tokenizer, sources[1], long)
        next(stream)
        stream.close()
    finally:
        handle.remove()
    assert len(steps) < 300


def test_an_error_in_a_stream_reaches_its_caller(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    with pytest.raises(IndexError):
        list(stream_summary(model.seq2seq, tokenizer, [10**6, 1], config(tokenizer, beams=1)))


@pytest.mark.parametrize("beams", [1, 3])
def test_ctranslate2_writes_what_torch_writes(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    sources: list[list[int]],
    tmp_path: Path,
    beams: int,
) -> None:
    convert(model, tokenizer, tmp_path / "converted", "float32")
    writer = CTranslate2Writer(tmp_path / "converted", tokenizer, threads=1)
    settings = config(tokenizer, beams)
    expected = TorchWriter(model.seq2seq, tokenizer).write(sources, settings, batch_size=2)
    outputs = writer.write(sources, settings, batch_size=2)
    assert [output.ids for output in outputs] == [output.ids for output in expected]
    assert len({tuple(output.ids) for output in outputs}) > 1
    for output, reference in zip(outputs, expected, strict=True):
        assert output.confidence == pytest.approx(reference.confidence, rel=1e-3)


@pytest.mark.parametrize("beams", [1, 4])
def test_ctranslate2_stops_before_its_end_once_it_is_cancelled(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    sources: list[list[int]],
    tmp_path: Path,
    beams: int,
) -> None:
    """Greedy decoding stops at the next token, beam search before the next batch."""
    convert(model, tokenizer, tmp_path / "converted", "float32")
    writer = CTranslate2Writer(tmp_path / "converted", tokenizer, threads=1)
    settings = config(tokenizer, beams)

    def checks_of(cancelled_after: int) -> int:
        checks = 0

        def cancelled() -> bool:
            nonlocal checks
            checks += 1
            return checks > cancelled_after

        with interruptible(cancelled, None):
            writer.write(sources, settings, batch_size=8)
        return checks

    complete = checks_of(10**6)
    assert complete >= (8 * 3 if beams == 1 else 4)
    with pytest.raises(ComputationCancelledError):
        checks_of(complete // 2)


def test_ctranslate2_refuses_what_it_cannot_do(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    sources: list[list[int]],
    tmp_path: Path,
) -> None:
    convert(model, tokenizer, tmp_path / "converted", "int8")
    writer = CTranslate2Writer(tmp_path / "converted", tokenizer, threads=1)
    words = [WordList("A b.")] * len(sources)
    with pytest.raises(ValueError, match="torch"):
        writer.write(sources, config(tokenizer, 1), batch_size=2, words=words)


def test_an_accepted_conversion_serves(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    final = registered(model, tokenizer, tmp_path, num_beams=2, min_new_tokens=4, max_new_tokens=12)
    texts = articles["test"]["article"][:6]
    before = Summarizer.load(final).summarize([HighlightRequest(article=t) for t in texts])
    settings = EngineSettings(compute_type="float32")
    check = convert_and_check(final, texts, settings)
    assert (check.articles, check.same, check.accepted) == (6, 6, True)
    monkeypatch.setattr(TorchWriter, "write", None)
    after = Summarizer.load(final).summarize([HighlightRequest(article=t) for t in texts])
    assert [a.summary for a in after] == [b.summary for b in before]
    assert {file.name for file in (final / FOLDER).iterdir()} >= {"model.bin", "config.json"}


def test_a_conversion_with_other_summaries_is_rejected_and_deleted(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    final = registered(model, tokenizer, tmp_path, num_beams=1, min_new_tokens=4, max_new_tokens=12)
    monkeypatch.setattr(
        CTranslate2Writer, "write", lambda *_, **__: [Generated([30, 31, 32], 1.0)] * 4
    )
    check = convert_and_check(final, articles["test"]["article"][:4], EngineSettings())
    assert not check.accepted
    assert check.rouge < 90
    assert read_engine(final) == "torch"
    assert not (final / FOLDER).exists()


def test_a_lower_limit_shortens_the_summary_of_one_request_only(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
) -> None:
    final = registered(
        model, tokenizer, tmp_path, num_beams=1, min_new_tokens=20, max_new_tokens=20
    )
    summarizer = Summarizer.load(final)
    text = articles["test"][0]["article"]
    options = [None, 8, 500]
    results = summarizer.summarize(
        [HighlightRequest(article=text, max_summary_tokens=most) for most in options]
    )
    assert [r.truncated.summary for r in results] == [True, True, True]
    first, second, third = results
    assert first.confidence == third.confidence != second.confidence


def test_streaming_an_article_ends_with_its_highlights(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
) -> None:
    final = registered(model, tokenizer, tmp_path, num_beams=1, min_new_tokens=4, max_new_tokens=12)
    summarizer = Summarizer.load(final)
    request = HighlightRequest(article=articles["test"][0]["article"], top_k=1)
    first, *segments, last = summarizer.stream(request)
    [whole] = summarizer.summarize([request])
    assert isinstance(first, Reading)
    assert isinstance(last, Highlights)
    assert all(isinstance(segment, str) for segment in segments)
    times = {"read_ms", "write_ms"}
    assert last.model_dump(exclude=times) == whole.model_dump(exclude=times)
    assert first.paragraphs == whole.paragraphs


@pytest.mark.parametrize("engine", ["torch", "ctranslate2"])
def test_batches_and_single_requests_give_the_same_answers(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
    engine: str,
) -> None:
    final = registered(model, tokenizer, tmp_path, num_beams=3, min_new_tokens=4, max_new_tokens=16)
    texts = [row["article"][: 60 + 25 * n] for n, row in enumerate(articles["test"])]
    texts[3] = " ".join(texts)  # longer than the source
    if engine == "ctranslate2":
        assert convert_and_check(final, texts, EngineSettings(minimum_agreement=0)).accepted
    summarizer = Summarizer.load(final)
    requests = [HighlightRequest(article=text) for text in texts]
    together = summarizer.summarize(requests, batch_size=5)
    for request, answer in zip(requests, together, strict=True):
        [alone] = summarizer.summarize([request], batch_size=1)
        assert (alone.summary, alone.doubt) == (answer.summary, answer.doubt)
        assert alone.confidence == pytest.approx(answer.confidence, rel=1e-3)
    assert len({answer.summary for answer in together}) > 5
