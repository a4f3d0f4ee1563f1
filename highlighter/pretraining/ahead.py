"""The batches of a stage in order, made ahead by other processes where there are cores to spare."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from highlighter.batches import Batch
from highlighter.pretraining.batches import BatchMaker

# As arrays: a tensor takes an open file for as long as it is on its way between two processes.
_Pool = list[dict[str, NDArray[Any]]]


def batches_from(maker: BatchMaker, stage: int, step: int, workers: int) -> Iterator[Batch]:
    """The batches of a stage from a step on, both counted from 0; the same for any `workers`.

    Args:
        workers: processes that make them; with 0 each is made when it is asked for.
    """
    size = maker.recipe.stages[stage].pool
    first, done = divmod(step, size)
    pools = range(first, -(-maker.recipe.stages[stage].most_steps // size))
    made = DataLoader(
        _Pools(maker, stage), None, sampler=pools, num_workers=workers, collate_fn=_same
    )
    batches = (batch for pool in made for batch in pool)
    for batch in islice(batches, done, None):
        yield {name: torch.from_numpy(array) for name, array in batch.items()}


class _Pools(Dataset[_Pool]):
    def __init__(self, maker: BatchMaker, stage: int) -> None:
        self._maker = maker
        self._stage = stage

    def __getitem__(self, number: int) -> _Pool:
        batches = self._maker.pool(self._stage, number)
        return [{name: tensor.numpy() for name, tensor in batch.items()} for batch in batches]


def _same(pool: _Pool) -> _Pool:
    return pool
