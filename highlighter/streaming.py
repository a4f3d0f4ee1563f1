"""Write one summary and hand out its text while it is written."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
)

from highlighter.article_words import WordList
from highlighter.generation import Generated, generate_summaries


class _Cancelled(StoppingCriteria):
    """Ends generation when its reader has gone."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.full((len(input_ids),), self.event.is_set(), device=input_ids.device)


def stream_summary(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    source: Sequence[int],
    config: GenerationConfig,
    *,
    words: WordList | None = None,
) -> Iterator[str | Generated]:
    """The summary's text in pieces, word by word, then the whole as `generate_summaries` gives it.

    Greedy, for beams change their minds about words that were handed out already. A reader that
    stops reading ends the generation.
    """
    greedy = GenerationConfig.from_dict(config.to_dict())
    greedy.num_beams, greedy.early_stopping, greedy.length_penalty = 1, False, 1.0
    streamer = TextIteratorStreamer(tokenizer, skip_special_tokens=True)
    cancelled = _Cancelled()
    written: list[Generated] = []
    failures: list[Exception] = []

    def write() -> None:
        try:
            written.extend(
                generate_summaries(
                    model,
                    tokenizer,
                    [list(source)],
                    greedy,
                    batch_size=1,
                    words=None if words is None else [words],
                    streamer=streamer,
                    stopping_criteria=StoppingCriteriaList([cancelled]),
                )
            )
        except Exception as error:  # noqa: BLE001 -- raised again below, in the reader's thread
            failures.append(error)
            streamer.end()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        for text in streamer:
            if text:
                yield text
        thread.join()
        if failures:
            raise failures[0]
        yield written[0]
    finally:
        cancelled.event.set()
        thread.join()
