"""Batches depend on the step alone; pools reduce padding."""

from itertools import islice

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from highlighter.data.collator import Batch
from highlighter.settings import ScratchModel, TextSettings
from tools.pretraining.batches import BatchMaker, batches_from
from tools.pretraining.recipe import Recipe, TaskWeights, TextStage

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
    """Return the source of every row of the stage, without padding, sorted."""
    found = []
    for batch in batches_from(batches, 0, 0, workers=0):
        for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
            found.append(ids[mask.bool()].tolist())
    return sorted(found)


def test_pools_reduce_padding_and_repeat_no_article(tokenizer: PreTrainedTokenizerBase) -> None:
    alone, pooled = maker(tokenizer, 1), maker(tokenizer, 4)
    filled = {
        name: np.mean(
            [
                float(batch["attention_mask"].float().mean())
                for batch in batches_from(batches, 0, 0, workers=0)
            ]
        )
        for name, batches in (("alone", alone), ("pooled", pooled))
    }
    assert filled["pooled"] > filled["alone"] + 0.02
    everything = rows(pooled)
    assert len({tuple(row) for row in everything}) == STEPS * 4, "an article is used twice"


def assert_equal(one: list[Batch], other: list[Batch]) -> None:
    for first, second in zip(one, other, strict=True):
        assert first.keys() == second.keys()
        for name, tensor in first.items():
            assert torch.equal(tensor, second[name]), name


@pytest.mark.parametrize("pool", [1, 4])
def test_a_step_does_not_depend_on_where_a_run_starts(
    tokenizer: PreTrainedTokenizerBase, pool: int
) -> None:
    batches = maker(tokenizer, pool)
    whole = list(batches_from(batches, 0, 0, workers=0))
    assert len(whole) == STEPS
    for start in (1, 4, 6):
        assert_equal(whole[start:], list(batches_from(batches, 0, start, workers=0)))


def test_worker_processes_make_the_same_batches_in_the_same_order(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    batches = maker(tokenizer, 2)
    here = list(batches_from(batches, 0, 1, workers=0))
    assert_equal(here, list(batches_from(batches, 0, 1, workers=2)))
    # A stage may end early; its workers must stop then.
    assert_equal(here[:2], list(islice(batches_from(batches, 0, 1, workers=2), 2)))
