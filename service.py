"""The summarization service: `bentoml serve` answers for the champion, `bentoml build` packs it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import NotFound, ServiceUnavailable
from bentoml.models import BentoModel

from highlighter.inference.answers import HighlightRequest, Highlights
from highlighter.model.checkpoint import read_card
from serving.app import build_app
from serving.batching import Batcher
from serving.card import ModelCard
from serving.desk import Desk
from serving.endpoints import Runtime
from serving.fetch.fetcher import ArticleFetcher
from serving.last_word import LastWord
from serving.made_in_thread import made_in_thread
from serving.metrics import metrics
from serving.remote import RemoteEngine
from serving.requests import ServedModel
from serving.settings import read_api_key, read_settings
from serving.wanted import CallerGoneError, each_while_wanted, while_wanted

MODEL = "news-highlighter:latest"
app = build_app()


class Champion(BentoModel):
    """The newest model in the store; where there is none, say what makes one."""

    def to_info(self, alias: str | None = None) -> Any:
        """The model's record for the Bento."""
        self._require()
        return super().to_info(alias)

    def resolve(self, *args: Any, **kwargs: Any) -> Any:
        """The stored model."""
        self._require()
        return super().resolve(*args, **kwargs)

    def _require(self) -> None:
        if self.stored is None:
            raise NotFound(f"no model {self.tag} in the store: run `python run_pipeline.py` first")


_BATCH_SIZE = 8  # more make those who wait for the batch wait longer, and win little
_QUIET = {"access": {"enabled": False}}  # the guard writes a line for each request
# The web service's connections to the model. BentoML renews them after 100 requests or 300 seconds
# by closing all of them, and whoever waits for an answer gets an error.
_KEPT = {"max_requests": sys.maxsize, "max_age": float(sys.maxsize)}


@bentoml.service(
    name="highlighter",
    workers=1,
    traffic={"timeout": 600},
    logging=_QUIET,
    runner_connection=_KEPT,
)
class Highlighter:
    """The model, in one process that uses all cores."""

    champion = Champion(MODEL)

    def __init__(self) -> None:
        # Imported here: the web service's process needs no torch.
        from highlighter.inference.summarizer import Summarizer
        from highlighter.system.cpu import keep_to_usable_cores
        from highlighter.system.memory import keep_freed_memory

        keep_freed_memory()
        keep_to_usable_cores()
        self._summarizer = Summarizer.load(Path(self.champion.path))
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._turn = asyncio.Lock()
        self._batcher = Batcher(self._highlight, _BATCH_SIZE, metrics().batch, self._turn)

    @bentoml.api
    async def highlight(self, article: HighlightRequest, ctx: bentoml.Context) -> Highlights:
        """Highlights of an article; those that wait share a batch, while they are wanted."""
        try:
            return await while_wanted(ctx.request, self._batcher.ask(article))
        except CallerGoneError as error:
            raise ServiceUnavailable("the caller has gone") from error

    async def _highlight(self, articles: list[HighlightRequest]) -> list[Highlights]:
        work = partial(self._summarizer.summarize, articles, batch_size=_BATCH_SIZE)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    @bentoml.api
    async def stream(self, article: HighlightRequest, ctx: bentoml.Context) -> AsyncIterator[str]:
        """JSON lines: the paragraphs, the summary in pieces, and the whole, while it is wanted."""
        # In turn with batches: written greedily, an article takes less time than a full batch.
        items = made_in_thread(self._thread, self._turn, self._summarizer.stream(article))
        async for item in each_while_wanted(ctx.request, items):
            yield RemoteEngine.encode(item)


@bentoml.service(
    name="news_highlighter",
    workers=1,
    traffic={"timeout": 600},  # our own limit comes first, and answers in our shape
    logging=_QUIET,
)
@bentoml.asgi_app(app)
class NewsHighlighter:
    """Summaries of news articles by the model that passed the gate."""

    highlighter = bentoml.depends(Highlighter)
    champion = Champion(MODEL)

    def __init__(self) -> None:
        settings = read_settings()
        stored = self.champion
        labels = dict(stored.info.labels)
        served = ServedModel(
            tag=str(stored.tag),
            version=labels["model_version"],
            mlflow_run_id=labels["mlflow_run_id"],
        )
        card = ModelCard(
            **read_card(Path(stored.path)).model_dump(),
            **served.model_dump(),
            created=stored.info.creation_time.isoformat(),
            zenml_run=labels["zenml_run"],
            data_fingerprint=labels["data_fingerprint"],
            git_commit=labels["git_commit"],
        )
        engine = RemoteEngine(self.highlighter.to_async)
        fetcher = ArticleFetcher(settings.web, at_once=settings.limits.fetches_at_once)
        desk = Desk(settings, engine, served, fetcher, metrics())
        app.state.runtime = Runtime(desk, card, settings.limits, read_api_key())


NewsHighlighter.add_asgi_middleware(LastWord)  # type: ignore[attr-defined]
