"""Write summaries in batches."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from tqdm.auto import tqdm
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.modeling_outputs import BaseModelOutput

from highlighter.article_words import ArticleWords, WordList
from highlighter.beam_cache import BeamCache


class Generated(NamedTuple):
    """Token ids without pads and end token, and the geometric mean of all tokens' probabilities."""

    ids: list[int]
    confidence: float


@torch.inference_mode()
def generate_summaries(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    sources: Sequence[list[int]],
    config: GenerationConfig,
    *,
    batch_size: int,
    words: Sequence[WordList] | None = None,
    show_progress: bool = False,
    **options: Any,
) -> list[Generated]:
    """What the model writes for each source, in the order given.

    With `words`, one for each source, names and numbers come from these only (`ArticleWords`).
    Rows of like length share a batch, so that little of it is padding. A row that ends without
    an end token was cut off at `max_new_tokens`; its ids are that many. `options` go to
    transformers' `generate`.
    """
    model.eval()
    order = sorted(range(len(sources)), key=lambda i: -len(sources[i]))
    outputs = [Generated([], 0.0)] * len(sources)
    starts = range(0, len(order), batch_size)
    for start in tqdm(starts, desc="summarizing", disable=not show_progress, unit="batch"):
        indices = order[start : start + batch_size]
        batch = tokenizer.pad({"input_ids": [sources[i] for i in indices]}, return_tensors="pt")
        batch = batch.to(model.device)
        states = model.get_encoder()(**batch).last_hidden_state
        mask = batch["attention_mask"]
        generated = model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            attention_mask=mask,
            generation_config=config,
            past_key_values=BeamCache(),
            logits_processor=LogitsProcessorList(
                [ArticleWords([words[i] for i in indices], config.num_beams, tokenizer)]
                if words
                else []
            ),
            **options,
        )
        confidences = _confidences(model, states, mask, generated, config)
        for index, ids, confidence in zip(
            indices, generated[:, 1:].tolist(), confidences.tolist(), strict=True
        ):
            outputs[index] = Generated(_until_end(ids, config), confidence)
    return outputs


def _confidences(
    model: PreTrainedModel,
    states: torch.Tensor,
    mask: torch.Tensor,
    generated: torch.Tensor,
    config: GenerationConfig,
) -> torch.Tensor:
    """Geometric mean, per row, of the probabilities of the generated tokens, end token included.

    One more pass of the decoder: the scores of every step and beam would fill the memory.
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
    # Beam search fills up rows with end tokens: only the first counts.
    ends = written.eq(config.eos_token_id)
    counted = (written.ne(config.pad_token_id) & (ends.cumsum(1) - ends.long() == 0)).float()
    return torch.exp(-(losses * counted).sum(1) / counted.sum(1).clamp(min=1))


def _until_end(ids: list[int], config: GenerationConfig) -> list[int]:
    if config.eos_token_id in ids:
        ids = ids[: ids.index(config.eos_token_id)]
    return [token for token in ids if token != config.pad_token_id]
