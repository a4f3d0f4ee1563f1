"""A service without a model: the real application around an engine that tests can steer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from highlighter.inference.answers import Counts, HighlightRequest, Highlights, Paragraph, Truncated
from highlighter.model.checkpoint import Judgement
from serving.app import build_app
from serving.card import ModelCard
from serving.desk import Desk
from serving.endpoints import Runtime
from serving.fetch.errors import WebError
from serving.fetch.fetcher import ArticleFetcher, WebArticle
from serving.metrics import metrics
from serving.requests import ServedModel
from serving.settings import LimitSettings, ServingSettings

SERVED = ServedModel(tag="news-highlighter:abc", version="7", mlflow_run_id="run")
CARD = ModelCard(
    **SERVED.model_dump(),
    created="2026-01-01T00:00:00+00:00",
    zenml_run="run",
    data_fingerprint="data",
    git_commit="commit",
    parameters=10,
    engine="torch",
    evaluation=Judgement(rows=1, test_fingerprint="test", scores=[], faithfulness=[]),
)


@dataclass
class StandIn:
    """Each paragraph scores by its length; `seconds` is how long an answer takes, or a stream's
    paragraphs, and `pause` how long a stream then stands still.

    `failure` is raised for the article `failing`, or for any if that is None.
    """

    seconds: float = 0.0
    pause: float = 0.0
    failure: Exception | None = None
    failing: str | None = None
    asked: list[HighlightRequest] = field(default_factory=list)
    finished: int = 0

    async def highlight(self, request: HighlightRequest) -> Highlights:
        self.asked.append(request)
        await asyncio.sleep(self.seconds)
        if self.failure and self.failing in {None, request.article}:
            raise self.failure
        self.finished += 1
        return answer(request)

    async def stream(self, request: HighlightRequest) -> AsyncIterator[dict[str, object]]:
        highlights = await self.highlight(request)
        known = highlights.model_dump(include={"paragraphs", "counts"})
        yield {"event": "paragraphs", "data": known}
        await asyncio.sleep(self.pause)
        for word in highlights.summary.split():
            yield {"event": "token", "data": {"text": word}}
        yield {"event": "summary", "data": highlights.model_dump()}


def answer(request: HighlightRequest) -> Highlights:
    """The first paragraph is the summary."""
    texts = request.article.split("\n\n")
    starts = [request.article.index(text) for text in texts]
    return Highlights(
        summary=texts[0],
        doubt=None,
        confidence=0.5,
        truncated=Truncated(source=False, summary=False),
        paragraphs=[
            Paragraph(text=t, start=s, end=s + len(t), score=len(t) / 1000, important=not s)
            for t, s in zip(texts, starts, strict=True)
        ],
        counts=Counts(characters=1, words=2, sentences=3, windows=4),
        read_ms=0.0,
        write_ms=0.0,
    )


class Pages(ArticleFetcher):
    """Knows one page; a failure is raised instead."""

    def __init__(self, failure: WebError | None = None) -> None:
        self._failure = failure

    async def fetch_article(self, url: str, caller: str | None = None) -> WebArticle:
        if self._failure:
            raise self._failure
        return WebArticle(f"{url}/moved", "A title", "Fetched text.\n\nMore of it.")


def make_app(
    engine: StandIn,
    *,
    fetcher: ArticleFetcher | None = None,
    api_key: str | None = None,
    **limits: Any,
) -> FastAPI:
    """The application, started."""
    app = build_app()
    settings = ServingSettings(limits=LimitSettings(**limits))
    desk = Desk(settings, engine, SERVED, fetcher or Pages(), metrics())
    app.state.runtime = Runtime(desk, CARD, settings.limits, api_key)
    return app
