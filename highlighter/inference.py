"""Highlight and summarize articles with a checkpoint folder. All that serving needs."""

from collections.abc import Sequence
from pathlib import Path

import torch
from pydantic import BaseModel
from transformers import GenerationConfig, PreTrainedTokenizerBase

from highlighter.article_words import WordList
from highlighter.checkpoint import read_highlight_settings, read_text_settings
from highlighter.generation import generate_summaries
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.model import T5ForHighlighting, load_model
from highlighter.reading import ReadArticle, Reader
from highlighter.segmentation import split_paragraphs
from highlighter.selection import best_sentences, score_paragraphs
from highlighter.settings import HighlightSettings, TextSettings
from highlighter.tokenizer import load_tokenizer
from highlighter.trust import Doubt, doubt


def best_device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Paragraph(BaseModel):
    """A piece of the article, verbatim: `article[start:end] == text`."""

    text: str
    start: int
    end: int
    score: float
    important: bool


class Highlights(BaseModel):
    """An article's paragraphs (its sentences, if it has one paragraph) and its summary.

    The summary is the model's own, unless there is a `doubt` about it: then it is the most salient
    sentences, verbatim. `confidence` is the geometric mean of the probabilities of the tokens that
    the model wrote. `windows` is how many were read; `truncated` says that the summary was written
    from a part of the article, because the whole does not fit into the decoder's source.
    """

    summary: str
    doubt: Doubt | None
    confidence: float
    paragraphs: list[Paragraph]
    windows: int
    truncated: bool


class Summarizer:
    """A loaded checkpoint. Use `load`; `summarize` is safe to call from one thread at a time."""

    def __init__(
        self,
        model: T5ForHighlighting,
        tokenizer: PreTrainedTokenizerBase,
        text: TextSettings,
        highlights: HighlightSettings,
        generation: GenerationConfig,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._highlights = highlights
        self._generation = generation
        self._reader = Reader(model, tokenizer, text)

    @classmethod
    def load(cls, folder: Path) -> "Summarizer":
        """Load a registered checkpoint folder onto the GPU if there is one.

        Raises:
            CheckpointError: the folder is not a checkpoint of this project.
        """
        text = read_text_settings(folder)
        tokenizer = load_tokenizer(str(folder))
        model = load_model(str(folder), tokenizer=tokenizer).to(best_device())
        generation = GenerationConfig.from_pretrained(folder)
        return cls(model, tokenizer, text, read_highlight_settings(folder), generation)

    def summarize(
        self,
        articles: Sequence[str],
        *,
        top_k: int | None = None,
        threshold: float | None = None,
        batch_size: int = 8,
    ) -> list[Highlights]:
        """Highlights of each article, in order.

        `important` are the paragraphs with the `top_k` highest scores, or all that score at least
        `threshold`; both given, both must hold; neither given, the checkpoint's own number.
        """
        if top_k is None and threshold is None:
            top_k = self._highlights.sentences
        read = self._reader.read(articles, batch_size)
        selected = self._highlights.sentences if self._highlights.source == "selected" else 0
        outputs = generate_summaries(
            self._model,
            self._tokenizer,
            [self._reader.source(article, selected) for article in read],
            self._generation,
            batch_size=batch_size,
            words=[WordList(text) for text in articles]
            if self._highlights.trust.names_from_article
            else None,
        )
        written = self._tokenizer.batch_decode(
            [output.ids for output in outputs], skip_special_tokens=True
        )
        results = []
        for text, article, raw_summary, output in zip(
            articles, read, written, outputs, strict=True
        ):
            summary = raw_summary.strip()
            trust = self._highlights.trust
            reason = doubt(summary, output.confidence, ArticleFacts(text), trust)
            results.append(
                Highlights(
                    summary=self._extract(text, article) if reason else summary,
                    doubt=reason,
                    confidence=output.confidence,
                    paragraphs=_paragraphs(text, article, top_k, threshold),
                    windows=article.windows,
                    truncated=not self._reader.fits(article),
                )
            )
        return results

    def _extract(self, text: str, article: ReadArticle) -> str:
        """The most salient sentences, one a line."""
        sentences = [text[start:end] for start, end in article.encoded.sentences]
        settings = self._highlights
        best = best_sentences(
            sentences, article.scores, settings.sentences, settings.trigram_blocking
        )
        return "\n".join(sentences[index] for index in best)


def _paragraphs(
    text: str, article: ReadArticle, top_k: int | None, threshold: float | None
) -> list[Paragraph]:
    spans, scores = split_paragraphs(text), article.scores
    if len(spans) > 1:
        scores = score_paragraphs(spans, article.encoded.sentences, scores)
    else:
        spans = article.encoded.sentences
    ranking = sorted(range(len(spans)), key=lambda i: (-scores[i], i))
    best = set(ranking[:top_k])
    return [
        Paragraph(
            text=text[span.start : span.end],
            start=span.start,
            end=span.end,
            score=score,
            important=index in best and (threshold is None or score >= threshold),
        )
        for index, (span, score) in enumerate(zip(spans, scores, strict=True))
    ]
