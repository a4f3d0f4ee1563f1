"""A summary is stopped or paused between two windows or tokens."""

import threading
from collections.abc import Callable

import pytest
from transformers import GenerationConfig, PreTrainedTokenizerBase

from highlighter.inference.answers import HighlightRequest, Highlights
from highlighter.inference.engines import TorchWriter
from highlighter.inference.interruption import ComputationCancelledError
from highlighter.inference.summarizer import Summarizer
from highlighter.model.build import build_model
from highlighter.settings import HighlightSettings, ScratchModel, TextSettings

TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)
REQUEST = HighlightRequest(article="The bridge at Ashford closed. Nobody came. " * 40)


@pytest.fixture(scope="module")
def summarizer(tokenizer: PreTrainedTokenizerBase) -> Summarizer:
    model = build_model(TINY, tokenizer, seed=3).eval()
    return Summarizer(
        model,
        tokenizer,
        text=TextSettings(max_source_tokens=64, max_target_tokens=32, overlap_tokens=16),
        highlights=HighlightSettings(),
        generation=GenerationConfig(
            max_new_tokens=24,
            min_new_tokens=24,
            decoder_start_token_id=0,
            pad_token_id=0,
            eos_token_id=1,
        ),
        writer=TorchWriter(model.seq2seq, tokenizer),
    )


def after(calls: int) -> tuple[Callable[[], bool], list[int]]:
    """Return a check that becomes true after some calls, and the numbers of its calls."""
    seen: list[int] = []

    def cancelled() -> bool:
        seen.append(len(seen))
        return len(seen) > calls

    return cancelled, seen


def test_summary_is_stopped_while_it_is_read_and_while_it_is_generated(
    summarizer: Summarizer,
) -> None:
    never, checks = after(10_000)
    [complete] = summarizer.summarize([REQUEST], batch_size=2, cancelled=never)
    assert complete.counts.windows > 4
    windows = complete.counts.windows // 2
    assert len(checks) >= windows + 24
    for calls in (1, windows + 12):
        cancelled, checks = after(calls)
        with pytest.raises(ComputationCancelledError):
            summarizer.summarize([REQUEST], batch_size=2, cancelled=cancelled)
        assert len(checks) == calls + 1
    [again] = summarizer.summarize([REQUEST], batch_size=2)
    assert again.summary == complete.summary


def test_summary_is_stopped_before_the_first_window_and_after_the_last_token(
    summarizer: Summarizer,
) -> None:
    """Splitting, tokenizing and marking the paragraphs of a long article take seconds."""
    never, checks = after(10_000)
    before: list[int] = []  # checks before each pass
    encoder, decoder = summarizer.model.seq2seq.encoder, summarizer.model.seq2seq.decoder
    hooks = [
        m.register_forward_hook(lambda *_: before.append(len(checks))) for m in (encoder, decoder)
    ]
    lines = HighlightRequest(article="Nobody came.\n" * 6_000)
    with pytest.raises(ComputationCancelledError):
        summarizer.summarize([lines], cancelled=after(3)[0])
    assert before == []
    summarizer.summarize([REQUEST], cancelled=never)
    assert len(checks) >= before[-1] + 3
    for hook in hooks:
        hook.remove()


def test_stream_is_stopped_between_tokens(summarizer: Summarizer) -> None:
    never, checks = after(10_000)
    assert len(list(summarizer.stream(REQUEST, cancelled=never))) >= 2
    cancelled, _ = after(len(checks) // 2)
    with pytest.raises(ComputationCancelledError):
        list(summarizer.stream(REQUEST, cancelled=cancelled))


@pytest.mark.parametrize("streams", [False, True])
def test_summaries_that_are_computed_during_pauses_are_those_computed_alone(
    summarizer: Summarizer, streams: bool
) -> None:
    others = [HighlightRequest(article=f"{n} ferries sail to Ashford. " * n) for n in (3, 30)]

    def compute(pause: Callable[[], None] | None) -> Highlights:
        if streams:
            *_, last = summarizer.stream(REQUEST, pause=pause)
        else:
            [last] = summarizer.summarize([REQUEST], batch_size=2, pause=pause)
        assert isinstance(last, Highlights)
        return last

    def text(highlights: Highlights) -> dict[str, object]:
        return highlights.model_dump(exclude={"read_ms", "write_ms"})

    alone, others_alone = compute(None), summarizer.summarize(others)
    pauses: list[int] = []
    found: list[Highlights] = []

    def pause() -> None:
        pauses.append(len(pauses))
        if len(pauses) % 11 == 1:
            thread = threading.Thread(target=lambda: found.extend(summarizer.summarize(others)))
            thread.start()
            thread.join()

    assert text(compute(pause)) == text(alone)
    assert len(pauses) > 24
    assert list(map(text, found)) == list(map(text, others_alone)) * (len(found) // 2)
    assert len(found) >= 4
