"""Write summaries in batches."""

from collections.abc import Sequence

import torch
from tqdm.auto import tqdm
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase


@torch.inference_mode()
def generate_summaries(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    sources: Sequence[list[int]],
    config: GenerationConfig,
    *,
    batch_size: int,
    show_progress: bool = False,
) -> list[list[int]]:
    """Generated token ids for each source, in the order given, without pads and end tokens.

    Rows of like length share a batch, so that little of it is padding. A row that ends without
    an end token was cut off at `max_new_tokens`; its ids are that many.
    """
    model.eval()
    order = sorted(range(len(sources)), key=lambda i: -len(sources[i]))
    outputs: list[list[int]] = [[] for _ in sources]
    starts = range(0, len(order), batch_size)
    for start in tqdm(starts, desc="summarizing", disable=not show_progress, unit="batch"):
        indices = order[start : start + batch_size]
        batch = tokenizer.pad({"input_ids": [sources[i] for i in indices]}, return_tensors="pt")
        generated = model.generate(**batch.to(model.device), generation_config=config)
        for index, ids in zip(indices, generated[:, 1:].tolist(), strict=True):
            outputs[index] = _until_end(ids, config)
    return outputs


def _until_end(ids: list[int], config: GenerationConfig) -> list[int]:
    if config.eos_token_id in ids:
        ids = ids[: ids.index(config.eos_token_id)]
    return [token for token in ids if token != config.pad_token_id]
