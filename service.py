"""The summarization service: `bentoml serve` answers for the champion, `bentoml build` packs it."""

from pathlib import Path
from typing import Annotated, Any

import bentoml
from bentoml.exceptions import NotFound
from bentoml.models import BentoModel
from pydantic import BaseModel, Field, StringConstraints

from highlighter.inference import Highlights, Summarizer

MODEL = "news-highlighter:latest"
EXAMPLE = (
    "The Ashford ferry will return to service on 3 May, the harbour board said on Tuesday.\n\n"
    "The vessel was withdrawn in January after cracks were found in its hull. Repairs cost "
    "£1.4 million, twice the first estimate.\n\n"
    "“We know how hard the winter was for the islanders,” said Maren Holt, who chairs the board."
)

Article = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100_000, pattern=r"\S"),
    Field(description="The article's text", json_schema_extra={"example": EXAMPLE}),
]

TopK = Annotated[
    int | None,
    Field(ge=1, le=50, description="Mark this many paragraphs; without it, the model's default"),
]
Threshold = Annotated[
    float | None,
    Field(ge=0, le=1, description="Mark only paragraphs that score at least this"),
]


class ServedModel(BaseModel):
    """Which model answered."""

    tag: str
    version: str
    mlflow_run_id: str


class SummarizeResponse(Highlights):
    """The article's highlights, and which model found them."""

    model: ServedModel


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


@bentoml.service(name="news_highlighter", traffic={"timeout": 60}, workers=1)
class NewsHighlighter:
    """Summaries of news articles by the model that passed the gate."""

    champion = Champion(MODEL)

    def __init__(self) -> None:
        stored = self.champion
        labels = stored.info.labels
        self._served = ServedModel(
            tag=str(stored.tag),
            version=labels["model_version"],
            mlflow_run_id=labels["mlflow_run_id"],
        )
        self._summarizer = Summarizer.load(Path(stored.path))

    @bentoml.api
    def summarize(
        self, article: Article, top_k: TopK = None, threshold: Threshold = None
    ) -> SummarizeResponse:
        """One article's important paragraphs, and its summary."""
        [result] = self._summarizer.summarize([article], top_k=top_k, threshold=threshold)
        return SummarizeResponse(**result.model_dump(), model=self._served)
