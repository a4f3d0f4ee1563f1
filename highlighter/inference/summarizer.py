"""Highlight and summarize articles with a checkpoint folder. All that serving needs."""

import time
from collections.abc import Generator, Sequence
from pathlib import Path

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from highlighter.data.sentences import split_paragraphs
from highlighter.inference.answers import (
    Counts,
    HighlightRequest,
    Highlights,
    Paragraph,
    Reading,
    Summary,
    Truncated,
)
from highlighter.inference.constraints import WordList
from highlighter.inference.engines import Writer, load_writer
from highlighter.inference.extraction import best_sentences, score_paragraphs
from highlighter.inference.generation import Generated, stream_summary
from highlighter.inference.reader import ReadArticle, Reader
from highlighter.inference.trust import doubt
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.model.checkpoint import read_highlight_settings, read_text_settings
from highlighter.model.model import HighlightModel, load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import HighlightSettings, TextSettings


def best_device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Summarizer:
    """A loaded checkpoint. Use `load`; one caller at a time, a stream's until its end."""

    def __init__(
        self,
        model: HighlightModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        text: TextSettings,
        highlights: HighlightSettings,
        generation: GenerationConfig,
        writer: Writer,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._highlights = highlights
        self._generation = generation
        self._writer = writer
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
        return cls(
            model,
            tokenizer,
            text=text,
            highlights=read_highlight_settings(folder),
            generation=GenerationConfig.from_pretrained(folder),
            writer=load_writer(folder, model.seq2seq, tokenizer),
        )

    def summarize(
        self, requests: Sequence[HighlightRequest], *, batch_size: int = 8
    ) -> list[Highlights]:
        """Highlights of each article, in order."""
        started = time.perf_counter()
        read = self._reader.read([request.article for request in requests], batch_size)
        read_ms = _milliseconds(started)
        started = time.perf_counter()
        outputs = self._write(requests, read, batch_size)
        write_ms = _milliseconds(started)
        return [
            Highlights(
                **self._reading(request, article).model_dump(),
                **self._summary(request, article, output).model_dump(),
                read_ms=read_ms,
                write_ms=write_ms,
            )
            for request, article, output in zip(requests, read, outputs, strict=True)
        ]

    def stream(
        self, request: HighlightRequest
    ) -> Generator[Reading | str | Highlights, None, None]:
        """First the paragraphs, then the summary's text as it is written, greedily, then all."""
        started = time.perf_counter()
        [article] = self._reader.read([request.article], batch_size=8)
        read_ms = _milliseconds(started)
        reading = self._reading(request, article)
        yield reading
        started = time.perf_counter()
        for piece in stream_summary(
            self._model.seq2seq,
            self._tokenizer,
            self._source(article),
            self._limited(request.max_summary_tokens),
            words=self._words(request.article),
        ):
            if isinstance(piece, str):
                yield piece
            else:
                yield Highlights(
                    **reading.model_dump(),
                    **self._summary(request, article, piece).model_dump(),
                    read_ms=read_ms,
                    write_ms=_milliseconds(started),
                )

    def _write(
        self, requests: Sequence[HighlightRequest], read: Sequence[ReadArticle], batch_size: int
    ) -> list[Generated]:
        """Summaries of all; those with the same limit are written together."""
        outputs = [Generated([], 0.0)] * len(requests)
        limits = [self._limit(request.max_summary_tokens) for request in requests]
        for limit in set(limits):
            indices = [index for index, own in enumerate(limits) if own == limit]
            words = [self._words(requests[index].article) for index in indices]
            written = self._writer.write(
                [self._source(read[index]) for index in indices],
                self._limited(limit),
                batch_size=batch_size,
                words=[known for known in words if known] or None,
            )
            for index, output in zip(indices, written, strict=True):
                outputs[index] = output
        return outputs

    def _source(self, article: ReadArticle) -> list[int]:
        return self._reader.source(article, self._highlights.selected)

    def _words(self, article: str) -> WordList | None:
        return WordList(article) if self._highlights.trust.names_from_article else None

    def _limit(self, max_summary_tokens: int | None) -> int:
        most: int = self._generation.max_new_tokens
        return min(most, max_summary_tokens or most)

    def _limited(self, max_summary_tokens: int | None) -> GenerationConfig:
        config = GenerationConfig.from_dict(self._generation.to_dict())
        config.max_new_tokens = self._limit(max_summary_tokens)
        config.min_new_tokens = min(config.min_new_tokens or 0, config.max_new_tokens)
        return config

    def _reading(self, request: HighlightRequest, article: ReadArticle) -> Reading:
        text, top_k = request.article, request.top_k
        if top_k is None and request.threshold is None:
            top_k = self._highlights.sentences
        return Reading(
            paragraphs=_paragraphs(text, article, top_k, request.threshold),
            counts=Counts(
                characters=len(text),
                words=len(text.split()),
                sentences=len(article.encoded.sentences),
                windows=article.windows,
            ),
        )

    def _summary(
        self, request: HighlightRequest, article: ReadArticle, output: Generated
    ) -> Summary:
        written = self._tokenizer.decode(output.ids, skip_special_tokens=True).strip()
        trust = self._highlights.trust
        extracted = self._extract(request.article, article)
        facts = ArticleFacts(request.article)
        cut_off = len(output.ids) >= self._limit(request.max_summary_tokens)
        reason = doubt(written, output.confidence, facts, extracted, trust, cut_off=cut_off)
        return Summary(
            summary=extracted if reason else written,
            doubt=reason,
            confidence=output.confidence,
            truncated=Truncated(source=not self._reader.fits(article), summary=cut_off),
        )

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


def _milliseconds(started: float) -> float:
    return 1000 * (time.perf_counter() - started)
