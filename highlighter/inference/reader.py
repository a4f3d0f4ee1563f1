"""Score all sentences of an article, and choose the decoder's source."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from highlighter.data.collator import IGNORED, WindowRow, collate
from highlighter.data.sentence_features import describe_segments, token_table
from highlighter.data.windows import (
    EncodedArticle,
    encode_articles,
    encode_prefix,
    fill_source,
    plan_windows,
    source_ids,
    window_budget,
)
from highlighter.inference.interruption import interruption_point
from highlighter.model.model import HighlightModel
from highlighter.settings import TextSettings


@dataclass(frozen=True)
class ReadArticle:
    """An article that was read to its end, in one or more windows of the encoder.

    `features` are the rows of `describe_segments`, `scores` the probabilities of its sentences to
    be salient. `start` are the token ids of the first window; `start_states`, if kept, are that
    window's encoder states (tokens, d_model). `familiar` is whether the article is like those of
    the training.
    """

    text: str
    encoded: EncodedArticle
    features: NDArray[np.float32]
    scores: list[float]
    windows: int
    start: list[int]
    start_states: torch.Tensor | None = None
    familiar: bool = True

    @property
    def sentences(self) -> list[str]:
        """The texts of the sentences."""
        return [self.text[start:end] for start, end in self.encoded.sentences]


def to_logits(scores: Sequence[float]) -> NDArray[np.float64]:
    """Return log(p / (1 - p)) of probabilities; finite also for 0 and 1."""
    p = np.clip(scores, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p / (1 - p)))


class Reader:
    """Score sentences with the encoder and the salience head, window by window."""

    def __init__(
        self, model: HighlightModel, tokenizer: PreTrainedTokenizerBase, text: TextSettings
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._overlap = text.overlap_tokens
        self._prefix = encode_prefix(tokenizer, text)
        self._table = token_table(tokenizer)
        self._budget = window_budget(self._prefix, text)

    def read(
        self, articles: Sequence[str], batch_size: int, *, keep_states: bool = False
    ) -> list[ReadArticle]:
        """Score every sentence of the articles.

        Args:
            articles: the texts.
            batch_size: windows in one pass of the encoder.
            keep_states: whether to keep the encoder states of each article's first window.
        """
        encoded = encode_articles(
            articles, self._tokenizer, self._budget, between=interruption_point
        )
        plans = [
            plan_windows([len(p) for p in article.segments], self._budget, self._overlap)
            for article in encoded
        ]
        windows = [(a, window) for a, plan in enumerate(plans) for window in plan]
        interruption_point()
        features = [describe_segments(article.segments, self._table) for article in encoded]
        rows = [self._row(encoded[a], window, features[a]) for a, window in windows]
        first = {a: n for n, (a, window) in enumerate(windows) if window.start == 0}
        kept = set(first.values()) if keep_states else set()
        probabilities, states = self._score(rows, batch_size, kept)
        sums = [np.zeros(len(article.segments)) for article in encoded]
        reads = [np.zeros(len(article.segments)) for article in encoded]
        for (a, window), scores in zip(windows, probabilities, strict=True):
            sums[a][window.start : window.stop] += scores
            reads[a][window.start : window.stop] += 1
        return [
            ReadArticle(
                text=text,
                encoded=encoded[a],
                features=features[a],
                scores=_score_sentences(encoded[a], sums[a] / reads[a]),
                windows=len(plans[a]),
                # An article without sentences has no window.
                start=rows[first[a]].input_ids if a in first else self._source(encoded[a], []),
                start_states=states.get(first[a]) if a in first else None,
            )
            for a, text in enumerate(articles)
        ]

    def source(self, article: ReadArticle, selected: int) -> list[int]:
        """Return the token ids that the decoder reads.

        This is the complete article if it fits into one window. Otherwise it is the start of the
        article or, with `selected` > 0, that many of the most salient sentences and as much of the
        start as fits, all in the article's order. Training uses such sources too. Salient sentences
        alone would hold less of the highlights than the start does.
        """
        if not selected or self.fits(article):
            return article.start
        ranking = sorted(range(len(article.scores)), key=lambda i: (-article.scores[i], i))
        best = set(ranking[:selected])
        preferred = [float(s in best) for s in article.encoded.sentence_of_segment]
        lengths = [len(segment) for segment in article.encoded.segments]
        source = self._source(article.encoded, fill_source(lengths, preferred, self._budget))
        return article.start if source == article.start else source

    def fits(self, article: ReadArticle) -> bool:
        """Return whether the complete article fits into one window."""
        return article.encoded.tokens <= self._budget

    def _source(self, article: EncodedArticle, segments: Sequence[int]) -> list[int]:
        return source_ids(article, segments, self._prefix, self._tokenizer.eos_token_id)

    def _row(
        self, article: EncodedArticle, window: range, features: NDArray[np.float32]
    ) -> WindowRow:
        numbers = [n for n, segment in enumerate(window) for _ in article.segments[segment]]
        return WindowRow(
            input_ids=self._source(article, window),
            segment_of_token=[*([-1] * len(self._prefix)), *numbers, -1],
            segment_indices=window,
            segment_features=features[window.start : window.stop],
            salience_labels=[IGNORED] * len(window),
            labels=[],
        )

    @torch.inference_mode()
    def _score(
        self, rows: Sequence[WindowRow], batch_size: int, keep: Collection[int]
    ) -> tuple[list[NDArray[np.float32]], dict[int, torch.Tensor]]:
        """Return the probabilities of each row's segments, and the states of the rows in `keep`."""
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


def _score_sentences(article: EncodedArticle, scores: NDArray[np.float64]) -> list[float]:
    """Return each sentence's score: the highest of its segments' scores."""
    best = [0.0] * len(article.sentences)
    for sentence, score in zip(article.sentence_of_segment, scores, strict=True):
        best[sentence] = max(best[sentence], float(score))
    return best
