"""Generate summaries with torch, in batches or as a stream."""

import threading
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from typing import Any, NamedTuple

import torch
from transformers import (
    BatchEncoding,
    GenerationConfig,
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
)
from transformers.modeling_outputs import BaseModelOutput

from highlighter.inference.attention import beam_cache
from highlighter.inference.constraints import ArticleWords
from highlighter.inference.copying import copying_from
from highlighter.inference.word_list import WordList
from highlighter.model.tokenizer import break_lines


class Generated(NamedTuple):
    """A generated summary.

    `ids` has no pad and no end token; `confidence` is the geometric mean of the probabilities of
    all tokens, the end token included, without tokens that the model's configuration forces.
    """

    ids: list[int]
    confidence: float


def most_ids(config: GenerationConfig) -> int:
    """Return the number of ids of a summary that was cut off.

    BART's last token is then forced to be the end token.
    """
    most: int = config.max_new_tokens
    return most if config.forced_eos_token_id is None else most - 1


class _Row(NamedTuple):
    source: list[int]
    words: WordList | None
    states: torch.Tensor | None


def generate_summaries(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    sources: Sequence[list[int]],
    config: GenerationConfig,
    *,
    batch_size: int,
    words: Sequence[WordList] | None = None,
    states: Sequence[torch.Tensor | None] | None = None,
    **options: Any,
) -> list[Generated]:
    """Generate a summary for each source, in the order given.

    Args:
        model: an encoder-decoder.
        tokenizer: its tokenizer.
        sources: token ids that the encoder reads.
        config: beams and limits. A summary with `most_ids(config)` ids was cut off there.
        batch_size: summaries generated together.
        words: per source, the words that names and numbers may consist of (see `ArticleWords`).
        states: per source, its encoder states (tokens, width) if they are known.
        options: further arguments of transformers' `generate`.
    """
    rows = [
        _Row(source, words[n] if words else None, states[n] if states else None)
        for n, source in enumerate(sources)
    ]
    if words is None or config.num_beams == 1:
        return _generate(model, tokenizer, rows, config, batch_size=batch_size, **options)
    # Most summaries meet the constraint without it, and are then also the best constrained ones.
    # Generating the others again takes less time than constraining every beam at every step.
    free = [row._replace(words=None) for row in rows]
    outputs = _generate(model, tokenizer, free, config, batch_size=batch_size, **options)
    check = ArticleWords(words, 1, tokenizer)
    again = [
        n
        for n, output in enumerate(outputs)
        if not check.keeps_to(n, output.ids, ended=len(output.ids) < most_ids(config))
    ]
    held = _generate(
        model, tokenizer, [rows[n] for n in again], config, batch_size=batch_size, **options
    )
    for n, output in zip(again, held, strict=True):
        outputs[n] = output
    return outputs


@torch.inference_mode()
def _generate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[_Row],
    config: GenerationConfig,
    *,
    batch_size: int,
    **options: Any,
) -> list[Generated]:
    """Generate in batches of rows of similar length, to keep padding small."""
    model.eval()
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i].source))
    outputs = [Generated([], 0.0)] * len(rows)
    for start in range(0, len(order), batch_size):
        indices = order[start : start + batch_size]
        together = [rows[i] for i in indices]
        batch = tokenizer.pad({"input_ids": [row.source for row in together]}, return_tensors="pt")
        batch = batch.to(model.device)
        states = _encode(model, batch, [row.states for row in together])
        mask = batch["attention_mask"]
        words = [row.words for row in together if row.words]
        method = None
        if config.num_beams == 1 and len(together) == 1:
            method = copying_from(together[0].source, options.get("streamer"))
        generated = model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            attention_mask=mask,
            generation_config=config,
            past_key_values=beam_cache(model, states),
            logits_processor=LogitsProcessorList(
                [ArticleWords(words, config.num_beams, tokenizer)] if words else []
            ),
            custom_generate=method,
            **options,
        )
        confidences = _confidences(model, states, mask, generated, config)
        for index, ids, confidence in zip(
            indices, generated[:, 1:].tolist(), confidences.tolist(), strict=True
        ):
            outputs[index] = Generated(_until_end(ids, config), confidence)
    return outputs


def _encode(
    model: PreTrainedModel, batch: BatchEncoding, known: Sequence[torch.Tensor | None]
) -> torch.Tensor:
    """Return the encoder states of a batch; rows whose states are known are not encoded again."""
    new = [row for row, states in enumerate(known) if states is None]
    if len(new) == len(known):
        return model.get_encoder()(**batch).last_hidden_state  # type: ignore[no-any-return]
    shape = (*batch["input_ids"].shape, model.config.hidden_size)
    together = torch.zeros(shape, dtype=model.dtype, device=model.device)
    for row, states in enumerate(known):
        if states is not None:
            together[row, : len(states)] = states
    if new:
        rows = {name: tensor[new] for name, tensor in batch.items()}
        together[new] = model.get_encoder()(**rows).last_hidden_state
    return together


def _confidences(
    model: PreTrainedModel,
    states: torch.Tensor,
    mask: torch.Tensor,
    generated: torch.Tensor,
    config: GenerationConfig,
) -> torch.Tensor:
    """Return per row the geometric mean of the generated tokens' probabilities.

    This takes one more pass of the decoder, because storing the scores of every step and beam
    would take too much memory.
    """
    logits = model(
        encoder_outputs=BaseModelOutput(last_hidden_state=states),
        attention_mask=mask,
        decoder_input_ids=generated[:, :-1],
    ).logits
    written = generated[:, 1:]
    losses = torch.nn.functional.cross_entropy(
        logits.float().transpose(1, 2), written, reduction="none"
    )
    # Beam search pads rows with end tokens, of which only the first counts.
    ends = written.eq(config.eos_token_id)
    counted = (written.ne(config.pad_token_id) & (ends.cumsum(1) - ends.long() == 0)).float()
    if config.forced_bos_token_id is not None:
        counted[:, 0] = 0
    counted[:, most_ids(config) :] = 0
    return torch.exp(-(losses * counted).sum(1) / counted.sum(1).clamp(min=1))


def _until_end(ids: list[int], config: GenerationConfig) -> list[int]:
    if config.eos_token_id in ids:
        ids = ids[: ids.index(config.eos_token_id)]
    return [token for token in ids if token != config.pad_token_id]


class _Cancelled(StoppingCriteria):
    """Stop generation when its event is set."""

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
    states: torch.Tensor | None = None,
) -> Iterator[str | Generated]:
    """Yield a summary's text word by word, then what `generate_summaries` returns for it.

    Decoding is greedy, because beam search may replace words that were yielded already. Closing
    the iterator stops the generation. The arguments are those of `generate_summaries`.
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
                    states=[states],
                    streamer=streamer,
                    stopping_criteria=StoppingCriteriaList([cancelled]),
                )
            )
        except Exception as error:  # noqa: BLE001 -- raised again below, in the caller's thread
            failures.append(error)
            streamer.end()

    context = copy_context()  # with the control of `interruptible`
    thread = threading.Thread(target=context.run, args=(write,), daemon=True)
    thread.start()
    try:
        for text in streamer:
            if text:
                yield break_lines(text)
        thread.join()
        if failures:
            raise failures[0]
        yield written[0]
    finally:
        cancelled.event.set()
        thread.join()
