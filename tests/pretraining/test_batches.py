"""Batches of text: a function of the step alone, and little padding where they come from pools."""

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from highlighter.pretraining.batches import BatchMaker
from highlighter.pretraining.settings import Recipe, TaskWeights, TextStage
from highlighter.settings import ScratchModel, TextSettings

STEPS = 8


def maker(tokenizer: PreTrainedTokenizerBase, pool: int) -> BatchMaker:
    stage = TextStage(
        kind="text",
        name="text",
        batch_size=4,
        steps=STEPS,
        pool=pool,
        tasks=TaskWeights(summarize=1, extract=1),
        background_share=0.3,
    )
    recipe = Recipe(
        seed=3,
        model=ScratchModel(kind="scratch"),
        text=TextSettings(max_source_tokens=1024, max_target_tokens=256),
        stages=(stage,),
    )
    return BatchMaker.build(recipe, tokenizer, [])


def rows(batches: BatchMaker) -> list[list[int]]:
    """Every row's source of the whole stage, without padding, sorted."""
    found = []
    for step in range(STEPS):
        batch = batches.batch(0, step)
        for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
            found.append(ids[mask.bool()].tolist())
    return sorted(found)


def test_pools_change_the_order_and_pad_less(tokenizer: PreTrainedTokenizerBase) -> None:
    alone, pooled = maker(tokenizer, 1), maker(tokenizer, 4)
    filled = {
        name: np.mean(
            [
                float(batches.batch(0, step)["attention_mask"].float().mean())
                for step in range(STEPS)
            ]
        )
        for name, batches in (("alone", alone), ("pooled", pooled))
    }
    assert filled["pooled"] > filled["alone"] + 0.02
    everything = rows(pooled)
    assert len({tuple(row) for row in everything}) == STEPS * 4, "no article comes twice"


@pytest.mark.parametrize("pool", [1, 4])
def test_a_step_is_the_same_whatever_was_asked_before(
    tokenizer: PreTrainedTokenizerBase, pool: int
) -> None:
    forwards, backwards = maker(tokenizer, pool), maker(tokenizer, pool)
    first = [forwards.batch(0, step) for step in range(STEPS)]
    second = [backwards.batch(0, step) for step in reversed(range(STEPS))][::-1]
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for name, tensor in one.items():
            assert torch.equal(tensor, other[name]), name
