"""The path from articles to answers, which the service, the evaluation and MLflow share."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from highlighter.data.familiarity import Familiarity, read_familiarity
from highlighter.inference.answers import (
    Counts,
    Doubt,
    HighlightRequest,
    Highlights,
    Reading,
    Truncated,
)
from highlighter.inference.assembly import (
    best_sentences,
    find_doubt,
    mark_paragraphs,
    quote_sentences,
)
from highlighter.inference.engines import Writer, load_writer
from highlighter.inference.generation import Generated, most_ids, stream_summary
from highlighter.inference.interruption import (
    interrupt_before,
    interruptible,
    interruption_point,
)
from highlighter.inference.reader import ReadArticle, Reader, to_logits
from highlighter.inference.word_list import WordList
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.model.checkpoint import read_highlight_settings, read_text_settings
from highlighter.model.model import HighlightModel, load_model
from highlighter.model.tokenizer import decode, load_tokenizer
from highlighter.settings import DecoderSource, HighlightSettings, TextSettings


@dataclass(frozen=True)
class Draft:
    """A generated summary, the sentences that may replace it, and the check that failed, if any."""

    article: ReadArticle
    source: list[int]  # token ids that the decoder read
    written: str
    confidence: float
    tokens: int  # generated, without the end token
    cut_off: bool
    chosen: list[int]  # the most salient sentences
    doubt: Doubt | None
    facts_checked: bool

    @property
    def extracted(self) -> str:
        """The most salient sentences, verbatim; see `quote_sentences`."""
        return quote_sentences(self.article.text, self.article.encoded.sentences, self.chosen)

    @property
    def served(self) -> str:
        """The text of the answer."""
        return self.extracted if self.doubt else self.written


def best_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Summarizer:
    """A loaded checkpoint.

    Several threads may use it if only one of them computes at a time, the others waiting in their
    `pause`. A caller of `stream` has to read or close the stream before its next call.
    """

    def __init__(
        self,
        model: HighlightModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        text: TextSettings,
        highlights: HighlightSettings,
        generation: GenerationConfig,
        writer: Writer,
        familiarity: Familiarity | None = None,
    ) -> None:
        self.model = model
        self._tokenizer = tokenizer
        self.highlights = highlights
        self._generation = generation
        self._reader = Reader(model, tokenizer, text)
        self.writer = writer
        self._familiarity = familiarity
        interrupt_before(model.encoder, model.seq2seq.get_decoder())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a registered checkpoint onto the GPU if there is one.

        Raises:
            CheckpointError: the folder is not a checkpoint of this project.
        """
        text = read_text_settings(folder)
        tokenizer = load_tokenizer(str(folder))
        model = load_model(str(folder), tokenizer=tokenizer).to(best_device()).eval()
        return cls(
            model,
            tokenizer,
            text=text,
            highlights=read_highlight_settings(folder),
            generation=GenerationConfig.from_pretrained(folder),
            writer=load_writer(folder, model.seq2seq, tokenizer),
            familiarity=read_familiarity(folder),
        )

    def summarize(
        self,
        requests: Sequence[HighlightRequest],
        *,
        batch_size: int = 8,
        cancelled: Callable[[], bool] | None = None,
        pause: Callable[[], None] | None = None,
    ) -> list[Highlights]:
        """Return the answers to the requests, in order.

        Args:
            requests: the articles and their options.
            batch_size: windows that are read, and summaries that are generated together.
            cancelled: called before each pass of the model; true stops the computation.
            pause: called before each pass of the model; waits while the computation should.

        Raises:
            ComputationCancelledError: `cancelled()` became true.
        """
        with interruptible(cancelled, pause):
            return self._summarize(requests, batch_size)

    def _summarize(self, requests: Sequence[HighlightRequest], batch_size: int) -> list[Highlights]:
        started = time.perf_counter()
        read = self.read([request.article for request in requests], batch_size)
        read_ms = _milliseconds(started)
        started = time.perf_counter()
        limits = [request.max_summary_tokens for request in requests]
        drafts = self.write(read, batch_size, limits=limits)
        write_ms = _milliseconds(started)
        answers = []
        for request, draft in zip(requests, drafts, strict=True):
            interruption_point()
            reading = self._reading(request, draft.article)
            answers.append(self._assemble(reading, draft, read_ms, write_ms))
        return answers

    def stream(
        self,
        request: HighlightRequest,
        *,
        cancelled: Callable[[], bool] | None = None,
        pause: Callable[[], None] | None = None,
    ) -> Generator[Reading | str | Highlights, None, None]:
        """Yield the paragraphs, then the summary's text while it is generated, then the answer.

        Decoding is greedy and by torch, whatever the checkpoint's engine. `cancelled` and `pause`
        are those of `summarize`.

        Raises:
            ComputationCancelledError: `cancelled()` became true.
        """
        with interruptible(cancelled, pause):
            yield from self._stream(request)

    def _stream(
        self, request: HighlightRequest
    ) -> Generator[Reading | str | Highlights, None, None]:
        started = time.perf_counter()
        [article] = self._read([request.article], batch_size=8, keep_states=True)
        read_ms = _milliseconds(started)
        interruption_point()
        reading = self._reading(request, article)
        yield reading
        started = time.perf_counter()
        source = self.source(article)
        limit = request.max_summary_tokens
        for part in stream_summary(
            self.model.seq2seq,
            self._tokenizer,
            source,
            self._limited(limit),
            words=self._words(article),
            states=_known_states(article, source),
        ):
            if isinstance(part, str):
                yield part
            else:
                draft = self._check(article, source, part, self._limit(limit))
                yield self._assemble(reading, draft, read_ms, _milliseconds(started))

    def read(self, articles: Sequence[str], batch_size: int) -> list[ReadArticle]:
        """Score every sentence of the articles; see `Reader.read`."""
        return self._read(articles, batch_size, keep_states=self.writer.uses_states)

    def _read(
        self, articles: Sequence[str], batch_size: int, *, keep_states: bool
    ) -> list[ReadArticle]:
        read = self._reader.read(articles, batch_size, keep_states=keep_states)
        return [self._calibrated(article) for article in read]

    def _calibrated(self, article: ReadArticle) -> ReadArticle:
        """Return the article with calibrated scores, if it is like those of the training."""
        interruption_point()
        familiar = self._is_familiar(article)
        scores, scaling = article.scores, self.highlights.calibration
        if familiar and scaling and scores:
            scaled = scaling.slope * to_logits(scores) + scaling.offset
            scores = (1 / (1 + np.exp(-scaled))).tolist()
        return replace(article, scores=scores, familiar=familiar)

    def write(
        self,
        articles: Sequence[ReadArticle],
        batch_size: int,
        *,
        source: DecoderSource | None = None,
        limits: Sequence[int | None] | None = None,
    ) -> list[Draft]:
        """Generate and check the summaries of articles.

        Args:
            articles: what `read` returned.
            batch_size: summaries generated together.
            source: what the decoder reads of long articles; None: as the checkpoint is configured.
            limits: maximum tokens of each summary; None: the checkpoint's limit.
        """
        sources = [self.source(article, source) for article in articles]
        most = [self._limit(limit) for limit in limits or [None] * len(articles)]
        outputs = [Generated([], 0.0)] * len(articles)
        for limit in set(most):  # one generation has one limit
            rows = [row for row, own in enumerate(most) if own == limit]
            words = [self._words(articles[row]) for row in rows]
            generated = self.writer.write(
                [sources[row] for row in rows],
                self._limited(limit),
                batch_size=batch_size,
                words=[known for known in words if known] or None,
                states=[_known_states(articles[row], sources[row]) for row in rows],
            )
            for row, output in zip(rows, generated, strict=True):
                outputs[row] = output
        drafts = []
        for parts in zip(articles, sources, outputs, most, strict=True):
            interruption_point()
            drafts.append(self._check(*parts))
        return drafts

    def source(self, article: ReadArticle, source: DecoderSource | None = None) -> list[int]:
        """Return the token ids that the decoder reads; None: as the checkpoint is configured."""
        name = source or self.highlights.source
        return self._reader.source(article, self.highlights.sentences if name == "selected" else 0)

    def fits(self, article: ReadArticle) -> bool:
        """Return whether the decoder can read the complete article."""
        return self._reader.fits(article)

    def choose(self, article: ReadArticle, scores: Sequence[float]) -> list[int]:
        """Return the indices, ascending, of the sentences to extract; see `best_sentences`.

        Args:
            article: what `read` returned.
            scores: of its sentences.
        """
        settings = self.highlights
        words = settings.words
        if words is not None and not article.familiar:
            words = settings.words_elsewhere
        return best_sentences(
            article.sentences, scores, settings.sentences, settings.trigram_blocking, words=words
        )

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids, without special tokens and outer white space."""
        return decode(self._tokenizer, ids)

    def _words(self, article: ReadArticle) -> WordList | None:
        return WordList(article.text) if self.highlights.trust.names_from_article else None

    def _limit(self, max_summary_tokens: int | None) -> int:
        most: int = self._generation.max_new_tokens
        return min(most, max_summary_tokens or most)

    def _limited(self, max_summary_tokens: int | None) -> GenerationConfig:
        config = GenerationConfig.from_dict(self._generation.to_dict())
        config.max_new_tokens = self._limit(max_summary_tokens)
        config.min_new_tokens = min(config.min_new_tokens or 0, config.max_new_tokens)
        return config

    def _check(
        self, article: ReadArticle, source: list[int], output: Generated, limit: int
    ) -> Draft:
        settings = self.highlights
        sentences = article.sentences
        chosen = self.choose(article, article.scores)
        salient = best_sentences(
            sentences, article.scores, settings.sentences, settings.trigram_blocking
        )
        interruption_point()
        facts = ArticleFacts(article.text)
        interruption_point()
        written = self.decode(output.ids)
        cut_off = len(output.ids) >= most_ids(self._limited(limit))
        facts = ArticleFacts(article.text)
        return Draft(
            article=article,
            source=source,
            written=written,
            confidence=output.confidence,
            tokens=len(output.ids),
            cut_off=cut_off,
            chosen=chosen,
            doubt=find_doubt(
                written,
                output.confidence,
                facts,
                "\n".join(sentences[index] for index in salient),
                settings.trust,
                sentences=sentences,
                cut_off=cut_off,
                familiar=article.familiar,
            ),
            facts_checked=settings.trust.supported_facts_only and facts.english,
        )

    def _is_familiar(self, article: ReadArticle) -> bool:
        segments = article.encoded.segments
        return self._familiarity is None or self._familiarity.knows(
            [*chain.from_iterable(segments)]
        )

    def _reading(self, request: HighlightRequest, article: ReadArticle) -> Reading:
        sentences = article.encoded.sentences
        return Reading(
            paragraphs=mark_paragraphs(
                article.text,
                sentences,
                article.scores,
                request.top_k,
                request.threshold,
                default=len(self.choose(article, article.scores)),
            ),
            counts=Counts(
                characters=len(article.text),
                words=len(article.text.split()),
                sentences=len(sentences),
                windows=article.windows,
            ),
        )

    def _assemble(
        self, reading: Reading, draft: Draft, read_ms: float, write_ms: float
    ) -> Highlights:
        return Highlights(
            paragraphs=reading.paragraphs,
            counts=reading.counts,
            summary=draft.served,
            doubt=draft.doubt,
            confidence=draft.confidence,
            truncated=Truncated(source=not self.fits(draft.article), summary=draft.cut_off),
            facts_checked=draft.facts_checked,
            read_ms=read_ms,
            write_ms=write_ms,
        )


def _known_states(article: ReadArticle, source: list[int]) -> torch.Tensor | None:
    """Return the encoder states of the source if it is the window that was read first."""
    return article.start_states if source is article.start else None


def _milliseconds(started: float) -> float:
    return 1000 * (time.perf_counter() - started)
