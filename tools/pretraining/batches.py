"""Batches of pretraining tasks; each depends on the recipe and the step only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset
from transformers import PreTrainedTokenizerBase

from highlighter.data.collator import IGNORED, Batch, WindowRow, collate
from highlighter.data.windows import encode_prefix, window_budget
from highlighter.model.tokenizer import SENTINELS
from tools.pretraining.articles import Article, ArticleEncoder, condense, generated_row
from tools.pretraining.recipe import Recipe, Stage, StringStage, TextStage
from tools.pretraining.tasks import TaskMaker, draw_string, plain_row

_BYTES = 256
_STOP = "."


@dataclass(frozen=True)
class BatchMaker:
    """Make the batches of every stage of a recipe."""

    recipe: Recipe
    tokenizer: PreTrainedTokenizerBase
    encoder: ArticleEncoder
    tasks: TaskMaker
    extra: list[Article]

    @classmethod
    def build(
        cls, recipe: Recipe, tokenizer: PreTrainedTokenizerBase, extra: list[tuple[str, str]]
    ) -> "BatchMaker":
        """Encode the extra text; articles are generated only when a batch needs them."""
        prefix = encode_prefix(tokenizer, recipe.text)
        encoder = ArticleEncoder(tokenizer, window_budget(prefix, recipe.text))
        sentinels = tokenizer.convert_tokens_to_ids(SENTINELS)
        tasks = TaskMaker(recipe.text, prefix, sentinels, tokenizer.eos_token_id)
        return cls(recipe, tokenizer, encoder, tasks, encoder.encode(extra))

    def pool(self, stage_number: int, number: int) -> list[Batch]:
        """Return a pool: the batches of `stage.pool` consecutive steps.

        Args:
            stage_number: index of the stage in the recipe.
            number: index of the pool in the stage.
        """
        stage = self.recipe.stages[stage_number]
        random = np.random.default_rng([self.recipe.seed, stage_number, number])
        if isinstance(stage, StringStage):
            return [self._strings(stage, random)]
        return self._sorted(self._texts(stage, stage_number, number, random), stage, random)

    @property
    def generated(self) -> int:
        """Number of generated articles that the stages read."""
        return _generated(self.recipe.stages)

    def _strings(self, stage: StringStage, random: np.random.Generator) -> Batch:
        # Without special tokens and byte tokens.
        tokens = np.arange(3 + _BYTES, len(self.tokenizer) - len(SENTINELS))
        end, stop = self.tokenizer.convert_tokens_to_ids([self.tokenizer.eos_token, _STOP])
        tokens = tokens[tokens != stop]
        pairs = [draw_string(stage, tokens, stop, random) for _ in range(stage.batch_size)]
        rows = [plain_row([*source, end], [*target, end]) for source, target in pairs]
        return collate(rows, self.tokenizer.pad_token_id)

    def _sorted(
        self, rows: list[WindowRow], stage: TextStage, random: np.random.Generator
    ) -> list[Batch]:
        """Return batches of rows of similar length, which need little padding, in random order."""
        rows = sorted(rows, key=_cost)
        batches = [
            collate(rows[start : start + stage.batch_size], self.tokenizer.pad_token_id)
            for start in range(0, len(rows), stage.batch_size)
        ]
        return [batches[index] for index in random.permutation(len(batches))]

    def _texts(
        self, stage: TextStage, stage_number: int, pool: int, random: np.random.Generator
    ) -> list[WindowRow]:
        share = stage.extra_share if self.extra else 0.0
        size = stage.batch_size * stage.pool
        generated = int((random.random(size) >= share).sum())
        # Each pool has a separate range of articles, so that none is read twice.
        first = _generated(self.recipe.stages[:stage_number]) + pool * size
        rows = [generated_row(first + number) for number in range(generated)]
        texts = [(condense(row, stage.background_share, random), row.highlights) for row in rows]
        articles = self.encoder.encode(texts)
        extra = random.integers(max(1, len(self.extra)), size=size - generated)
        windows = [(article, stage.window_tokens) for article in articles]
        extra_window = stage.extra_window_tokens or stage.window_tokens
        windows += [(self.extra[int(index)], extra_window) for index in extra]
        return [
            self.tasks.make(article, stage.tasks, window, random) for article, window in windows
        ]


def _generated(stages: Sequence[Stage]) -> int:
    return sum(
        -(-stage.steps // stage.pool) * stage.pool * stage.batch_size
        for stage in stages
        if isinstance(stage, TextStage)
    )


def _cost(row: WindowRow) -> int:
    """Return a row's relative cost; a target token costs about three source tokens."""
    return len(row.input_ids) + 3 * sum(label != IGNORED for label in row.labels)


# Arrays, because each tensor passed between processes keeps a file open.
_Pool = list[dict[str, NDArray[Any]]]


def batches_from(maker: BatchMaker, stage: int, step: int, workers: int) -> Iterator[Batch]:
    """Yield the batches of a stage, the same for any number of workers.

    Args:
        maker: makes the batches.
        stage: index of the stage in the recipe.
        step: index of the first step in the stage.
        workers: processes that make batches ahead; 0: this process, on demand.
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
