"""Read whole articles with a model: score every sentence, and choose what the decoder reads."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from highlighter.data.collator import IGNORED, WindowRow, collate
from highlighter.data.sentence_features import describe_segments, token_weights
from highlighter.data.windows import (
    EncodedArticle,
    encode_articles,
    encode_prefix,
    fill_source,
    plan_windows,
    source_ids,
    window_budget,
)
from highlighter.model.model import HighlightModel
from highlighter.settings import TextSettings


@dataclass(frozen=True)
class ReadArticle:
    """An article read to its end: a probability to be salient for each sentence."""

    encoded: EncodedArticle
    scores: list[float]
    windows: int


class Reader:
    """Scores sentences with the encoder and the salience head, window by window."""

    def __init__(
        self, model: HighlightModel, tokenizer: PreTrainedTokenizerBase, text: TextSettings
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._overlap = text.overlap_tokens
        self._prefix = encode_prefix(tokenizer, text)
        self._weights = token_weights(tokenizer)
        self.budget = window_budget(self._prefix, text)

    def read(self, articles: Sequence[str], batch_size: int) -> list[ReadArticle]:
        """Every article's sentences with their scores, in order."""
        read, _ = self._read(articles, batch_size, keep_states=False)
        return read

    def read_and_encode(
        self, articles: Sequence[str], batch_size: int
    ) -> tuple[list[ReadArticle], list[torch.Tensor | None]]:
        """As `read`; and the encoder's states, (tokens, d_model), of what `source(article, 0)` is.

        None for an article without sentences: it has no window.
        """
        return self._read(articles, batch_size, keep_states=True)

    def _read(
        self, articles: Sequence[str], batch_size: int, *, keep_states: bool
    ) -> tuple[list[ReadArticle], list[torch.Tensor | None]]:
        encoded = encode_articles(articles, self._tokenizer, self.budget)
        plans = [
            plan_windows([len(p) for p in article.segments], self.budget, self._overlap)
            for article in encoded
        ]
        places = [(a, window) for a, plan in enumerate(plans) for window in plan]
        features = [describe_segments(article.segments, self._weights) for article in encoded]
        rows = [self._row(encoded[a], window, features[a]) for a, window in places]
        first = {n: a for n, (a, window) in enumerate(places) if keep_states and window.start == 0}
        probabilities, kept = self._score(rows, batch_size, first)
        sums = [np.zeros(len(article.segments)) for article in encoded]
        reads = [np.zeros(len(article.segments)) for article in encoded]
        for (a, window), scores in zip(places, probabilities, strict=True):
            sums[a][window.start : window.stop] += scores
            reads[a][window.start : window.stop] += 1
        read = [
            ReadArticle(article, _by_sentence(article, total / count), len(plan))
            for article, total, count, plan in zip(encoded, sums, reads, plans, strict=True)
        ]
        states: list[torch.Tensor | None] = [None] * len(articles)
        for row, a in first.items():
            states[a] = kept[row]
        return read, states

    def source(self, article: ReadArticle, selected: int) -> list[int]:
        """Token ids the decoder reads: the whole article if it fits, else its start.

        With `selected`, that many of the most salient sentences come in first, wherever they stand,
        and the start fills the rest, all in the article's order. That is what training shows the
        decoder too; a source of salient sentences only holds less of the highlights than the start.
        """
        lengths = [len(segment) for segment in article.encoded.segments]
        segments: Sequence[int]
        if selected:
            ranking = sorted(range(len(article.scores)), key=lambda i: (-article.scores[i], i))
            best = set(ranking[:selected])
            preferred = [float(s in best) for s in article.encoded.sentence_of_segment]
            segments = fill_source(lengths, preferred, self.budget)
        else:
            segments = next(iter(plan_windows(lengths, self.budget, 0)), range(0))
        return source_ids(article.encoded, segments, self._prefix, self._tokenizer.eos_token_id)

    def fits(self, article: ReadArticle) -> bool:
        """Whether the decoder can read the whole article at once."""
        return article.encoded.tokens <= self.budget

    def _row(
        self, article: EncodedArticle, window: range, features: NDArray[np.float32]
    ) -> WindowRow:
        numbers = [n for n, segment in enumerate(window) for _ in article.segments[segment]]
        return WindowRow(
            input_ids=source_ids(article, window, self._prefix, self._tokenizer.eos_token_id),
            segment_of_token=[*([-1] * len(self._prefix)), *numbers, -1],
            segment_indices=window,
            segment_features=features[window.start : window.stop],
            salience_labels=[IGNORED] * len(window),
            labels=[IGNORED],
        )

    @torch.inference_mode()
    def _score(
        self, rows: Sequence[WindowRow], batch_size: int, keep: Collection[int]
    ) -> tuple[list[NDArray[np.float32]], dict[int, torch.Tensor]]:
        """Probabilities of each row's segments, and the states of the rows in `keep`."""
        self._model.eval()
        order = sorted(range(len(rows)), key=lambda i: -len(rows[i].input_ids))
        scores: list[NDArray[np.float32]] = [np.zeros(0, dtype=np.float32)] * len(rows)
        kept: dict[int, torch.Tensor] = {}
        for start in range(0, len(order), batch_size):
            indices = order[start : start + batch_size]
            batch = collate([rows[i] for i in indices], self._tokenizer.pad_token_id)
            batch = {name: tensor.to(self._model.device) for name, tensor in batch.items()}
            states = self._model.encoder(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).last_hidden_state
            logits = self._model.score_segments(
                states,
                batch["segment_of_token"],
                batch["segment_indices"],
                batch["segment_features"],
            )
            probabilities = torch.sigmoid(logits.float()).cpu().numpy()
            for place, (index, row) in enumerate(zip(indices, probabilities, strict=True)):
                scores[index] = row[: len(rows[index].segment_indices)]
                if index in keep:
                    kept[index] = states[place, : len(rows[index].input_ids)].clone()
        return scores, kept


def _by_sentence(article: EncodedArticle, scores: NDArray[np.float64]) -> list[float]:
    best = [0.0] * len(article.sentences)
    for sentence, score in zip(article.sentence_of_segment, scores, strict=True):
        best[sentence] = max(best[sentence], float(score))
    return best
