"""What is asked about an article: each task turns it into one row of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from highlighter.batches import IGNORED, WindowRow
from highlighter.encoding import piece_budget
from highlighter.pretraining.gap_sentences import principal_pieces
from highlighter.pretraining.settings import TaskWeights
from highlighter.pretraining.span_corruption import corrupt_spans
from highlighter.pretraining.texts import Article
from highlighter.settings import TextSettings
from highlighter.windows import plan_windows


@dataclass(frozen=True)
class TaskMaker:
    """Builds rows; `sentinels` are the ids that stand for masked text."""

    text: TextSettings
    prefix: list[int]
    sentinels: list[int]
    end: int

    def make(
        self,
        article: Article,
        tasks: TaskWeights,
        window_tokens: int | None,
        random: np.random.Generator,
    ) -> WindowRow:
        """One row of a task drawn by weight, on one window of the article, drawn alike.

        Only a whole article can be summarized: a longer one is asked for its sentences instead.
        """
        lengths = [len(piece) for piece in article.pieces]
        budget = piece_budget(self.prefix, self.text)
        budget = max(min(budget, window_tokens or budget), *lengths)  # no piece is cut
        plan = plan_windows(lengths, budget, overlap=budget // 8)
        window = plan[int(random.integers(len(plan)))]
        shares = tasks.model_dump()
        task = random.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values()))
        if task == "summarize" and (not article.highlights or len(plan) > 1):
            task = "extract"
        pieces = [article.pieces[index] for index in window]
        match task:
            case "summarize":
                return self.read_window(article, window, article.highlights)
            case "extract":
                chosen = principal_pieces(pieces, self._room)
                return self.read_window(article, window, [t for i in chosen for t in pieces[i]])
            case "gap_sentences":
                return self._gap_sentences(pieces)
        tokens = [token for piece in pieces for token in piece]
        source, target = corrupt_spans(tokens, self.sentinels, random)
        return self._plain(source, target)

    @property
    def _room(self) -> int:
        return self.text.max_target_tokens - 1

    def read_window(self, article: Article, window: Sequence[int], target: list[int]) -> WindowRow:
        """A window that is read for salience too."""
        ids, numbers = list(self.prefix), [-1] * len(self.prefix)
        for number, piece in enumerate(window):
            ids += article.pieces[piece]
            numbers += [number] * len(article.pieces[piece])
        return WindowRow(
            input_ids=[*ids, self.end],
            piece_of_token=[*numbers, -1],
            piece_indices=list(window),
            piece_features=article.features[list(window)],
            salience_labels=[article.salience[piece] for piece in window],
            labels=self._target(target),
        )

    def _gap_sentences(self, pieces: Sequence[list[int]]) -> WindowRow:
        chosen = principal_pieces(pieces, self._room)
        source = list(self.prefix)
        for index, piece in enumerate(pieces):
            source += [self.sentinels[chosen.index(index)]] if index in chosen else piece
        return self._plain(source, [token for index in chosen for token in pieces[index]])

    def _plain(self, source: list[int], target: list[int]) -> WindowRow:
        return plain_row([*source, self.end], self._target(target))

    def _target(self, tokens: Sequence[int]) -> list[int]:
        return [*tokens[: self._room], self.end]


def plain_row(source: list[int], target: list[int]) -> WindowRow:
    """A row without pieces: only the decoder learns from it."""
    nothing = np.zeros((0, 0), dtype=np.float32)
    return WindowRow(source, [-1] * len(source), [], nothing, [], target or [IGNORED])
