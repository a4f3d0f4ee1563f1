"""The summarization service: `bentoml serve` serves the champion, `bentoml build` packages it."""

from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLConfigException, NotFound
from bentoml.models import BentoModel

from highlighter.errors import CheckpointError, ConfigError
from highlighter.model.checkpoint import check_files, read_card
from serving.app import build_app
from serving.compat import close_connections_without_request, require_free_port
from serving.endpoints import Runtime
from serving.fetch.fetcher import ArticleFetcher
from serving.fetch.limits import FetchSlots
from serving.handler import RequestHandler
from serving.logs import configure_logging
from serving.metrics import metrics
from serving.schemas import ModelCard, ServedModel
from serving.settings import read_api_key, read_settings
from serving.shutdown import Shutdown
from serving.worker import ModelWorker

app = build_app()


class Champion(BentoModel):
    """The newest model in the BentoML store."""

    def to_info(self, alias: str | None = None) -> Any:
        """Return the model's record for the Bento."""
        self._require()
        return super().to_info(alias)

    def resolve(self, *args: Any, **kwargs: Any) -> Any:
        """Return the stored model."""
        self._require()
        return super().resolve(*args, **kwargs)

    def _require(self) -> None:
        if self.stored is None:
            raise NotFound(f"no model {self.tag} in the store: run `python run_pipeline.py` first")


CHAMPION = Champion("news-highlighter:latest")


@bentoml.service(
    name="news_highlighter",
    workers=1,
    traffic={"timeout": 600},  # never reached: the handler's limit is lower
    logging={"access": {"enabled": False}},  # RequestMiddleware logs requests
    metrics={"enabled": False},  # BentoML's have a label with the raw path, which is unbounded
)
@bentoml.asgi_app(app)
class NewsHighlighter:
    """Summaries of news articles by the champion; the model runs in threads of the process."""

    champion = CHAMPION

    @bentoml.on_deployment
    @staticmethod
    def check_configuration() -> None:
        """Refuse a wrong configuration or model before a worker is started.

        BentoML would start a worker that fails again and again.
        """
        configure_logging()
        require_free_port()
        try:
            read_settings()
            read_api_key()
            check_files(Path(CHAMPION.resolve().path))
        except (ConfigError, CheckpointError) as error:
            raise BentoMLConfigException(str(error)) from error

    def __is_ready__(self) -> bool:
        """Return whether new requests are accepted; BentoML's /readyz asks."""
        return not self._shutdown.started

    def __init__(self) -> None:
        configure_logging()
        # Imported here: `bentoml serve` also imports this module in its supervisor.
        from transformers.utils import logging as transformers_logging

        from highlighter.inference.summarizer import Summarizer
        from highlighter.system.cpu import keep_to_usable_cores
        from highlighter.system.memory import keep_freed_memory

        transformers_logging.disable_progress_bar()
        keep_freed_memory()
        keep_to_usable_cores()
        settings = read_settings()
        card = _describe(self.champion)
        worker = ModelWorker(Summarizer.load(Path(self.champion.path)), metrics().observe_batch)
        model = ServedModel.model_validate(card.model_dump(include=set(ServedModel.model_fields)))
        limits = settings.limits
        slots = FetchSlots(
            limits.fetches_at_once, limits.fetches_per_client, limits.fetches_per_host
        )
        fetcher = ArticleFetcher(settings.web, slots=slots)
        close_connections_without_request(limits.receive_seconds)
        handler = RequestHandler(settings, worker, model, fetcher, metrics())
        self._shutdown = Shutdown(limits.shutdown_seconds)
        self._shutdown.install()
        app.state.runtime = Runtime(handler, card, limits, read_api_key(), self._shutdown)


def _describe(stored: bentoml.Model) -> ModelCard:
    labels = dict(stored.info.labels)
    return ModelCard(
        **read_card(Path(stored.path)).model_dump(),
        tag=str(stored.tag),
        version=labels["model_version"],
        created=stored.info.creation_time.isoformat(),
        mlflow_run_id=labels["mlflow_run_id"],
        zenml_run=labels["zenml_run"],
        data_fingerprint=labels["data_fingerprint"],
        git_commit=labels["git_commit"],
    )
