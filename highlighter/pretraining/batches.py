"""The batch of any step, from the seed and the step alone: a resumed run sees the same ones."""

from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from highlighter.batches import Batch, collate
from highlighter.encoding import encode_prefix, piece_budget
from highlighter.pretraining.random_strings import draw_string
from highlighter.pretraining.settings import Recipe, StringStage, TextStage
from highlighter.pretraining.tasks import TaskMaker, plain_row
from highlighter.pretraining.texts import Article, ArticleEncoder, condense, generated_row
from highlighter.tokenizer import SENTINELS

_BYTES = 256


@dataclass(frozen=True)
class BatchMaker:
    """Batches of every stage of a recipe."""

    recipe: Recipe
    tokenizer: PreTrainedTokenizerBase
    encoder: ArticleEncoder
    tasks: TaskMaker
    extra: list[Article]

    @classmethod
    def build(
        cls, recipe: Recipe, tokenizer: PreTrainedTokenizerBase, extra: list[tuple[str, str]]
    ) -> "BatchMaker":
        """Encode the extra text once; generated articles are made when their step comes."""
        prefix = encode_prefix(tokenizer, recipe.text)
        encoder = ArticleEncoder(tokenizer, piece_budget(prefix, recipe.text))
        sentinels = tokenizer.convert_tokens_to_ids(SENTINELS)
        tasks = TaskMaker(recipe.text, prefix, sentinels, tokenizer.eos_token_id)
        return cls(recipe, tokenizer, encoder, tasks, encoder.encode(extra))

    def batch(self, stage_number: int, step: int) -> Batch:
        """Rows of one step of a stage, both counted from 0."""
        stage = self.recipe.stages[stage_number]
        random = np.random.default_rng([self.recipe.seed, stage_number, step])
        match stage:
            case StringStage():
                return self._strings(stage, random)
            case TextStage():
                return self._texts(stage, stage_number, step, random)

    def _strings(self, stage: StringStage, random: np.random.Generator) -> Batch:
        # Neither special tokens nor bytes, which stand for single odd characters.
        tokens = np.arange(3 + _BYTES, len(self.tokenizer) - len(SENTINELS))
        end = self.tokenizer.eos_token_id
        pairs = [draw_string(stage, tokens, random) for _ in range(stage.batch_size)]
        rows = [plain_row([*source, end], [*target, end]) for source, target in pairs]
        return collate(rows, self.tokenizer.pad_token_id)

    def _texts(
        self, stage: TextStage, stage_number: int, step: int, random: np.random.Generator
    ) -> Batch:
        share = stage.extra_share if self.extra else 0.0
        own = int((random.random(stage.batch_size) >= share).sum())
        # Every step has its own range of numbers, so that no article comes twice.
        before = sum(
            s.steps * s.batch_size
            for s in self.recipe.stages[:stage_number]
            if isinstance(s, TextStage)
        )
        first = before + step * stage.batch_size
        rows = [generated_row(first + number) for number in range(own)]
        texts = [(condense(row, stage.background_share, random), row.highlights) for row in rows]
        articles = self.encoder.encode(texts)
        chosen = random.integers(max(1, len(self.extra)), size=stage.batch_size - own)
        read = [(article, stage.window_tokens) for article in articles]
        extra_window = stage.extra_window_tokens or stage.window_tokens
        read += [(self.extra[int(index)], extra_window) for index in chosen]
        made = [self.tasks.make(article, stage.tasks, window, random) for article, window in read]
        return collate(made, self.tokenizer.pad_token_id)
