"""Request and response bodies of the HTTP API."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from highlighter.inference.answers import (
    HighlightRequest,
    Highlights,
    Options,
    Reading,
    Summary,
)
from highlighter.model.checkpoint import MeasuredModel
from serving.errors import ErrorDetail

EXAMPLE = (
    "The Ashford ferry will return to service on 3 May, the harbour board said on Tuesday.\n\n"
    "The vessel was withdrawn in January after cracks were found in its hull. Repairs cost "
    "£1.4 million, twice the first estimate.\n\n"
    "“We know how hard the winter was for the islanders,” said Maren Holt, who chairs the board."
)


class Body(BaseModel):
    """A JSON object without unknown fields."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _keep_one_unknown_field(cls, value: object) -> object:
        # Each unknown field would be an error of its own: 85,000 of them take half a second.
        if not isinstance(value, dict):
            return value
        unknown = next((name for name in value if name not in cls.model_fields), None)
        return {n: v for n, v in value.items() if n == unknown or n in cls.model_fields}


class SummarizeRequest(Body, Options):
    """An article, or the URL of one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"article": EXAMPLE, "top_k": 1}],
            "oneOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("article", "url")
            ],
        }
    )

    article: str | None = Field(
        None, description="Text of the article, with at least one character that is not a space"
    )
    url: str | None = Field(
        None, max_length=2_000, description="http or https address of a page with an article"
    )

    @model_validator(mode="after")
    def _require_one_source(self) -> Self:
        if (self.article is None) == (self.url is None):
            raise ValueError("give either `article` or `url`")
        return self

    def with_text(self, text: str) -> HighlightRequest:
        """Return the request to the model for the article's text."""
        return HighlightRequest(
            article=text,
            top_k=self.top_k,
            threshold=self.threshold,
            max_summary_tokens=self.max_summary_tokens,
        )


class BatchRequest(Body):
    """Several articles or URLs, each with its own options."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"articles": [{"article": EXAMPLE}, {"article": " "}]}]},
    )

    # Each entry is validated separately, so that an invalid one does not fail the others.
    articles: list[dict[str, object]] = Field(min_length=1, fail_fast=True)


class Source(BaseModel):
    """Page that an article was fetched from."""

    url: str = Field(description="Address of the page after redirects")
    title: str | None


class Timing(BaseModel):
    """Durations in milliseconds; `read_ms` and `write_ms` are those of the article's batch."""

    fetch_ms: float
    queue_ms: float
    read_ms: float
    write_ms: float
    total_ms: float


class ServedModel(BaseModel):
    """Identity of the model that answered."""

    tag: str
    version: str
    mlflow_run_id: str


class ModelCard(ServedModel, MeasuredModel):
    """The served model's origin and measurements."""

    created: str
    zenml_run: str
    data_fingerprint: str
    git_commit: str


class AnswerDetails(BaseModel):
    """Fields of every answer in addition to the highlights."""

    source: Source | None
    timing: Timing
    model: ServedModel


class SummarizeResponse(Reading, Summary, AnswerDetails):
    """The article's paragraphs and its summary."""


class BatchEntry(BaseModel):
    """The answer for one article, or the error that prevented it."""

    result: SummarizeResponse | None = None
    error: ErrorDetail | None = None


class BatchResponse(BaseModel):
    """Entries in the order of the request."""

    articles: list[BatchEntry]


def build_response(
    highlights: Highlights,
    source: Source | None,
    model: ServedModel,
    *,
    fetch_ms: float,
    total_ms: float,
) -> SummarizeResponse:
    """Return the answer for one article; time spent in no step is counted as queueing."""
    fields = highlights.model_dump(exclude={"read_ms", "write_ms"})
    spent = fetch_ms + highlights.read_ms + highlights.write_ms
    timing = Timing(
        fetch_ms=fetch_ms,
        queue_ms=max(0.0, total_ms - spent),
        read_ms=highlights.read_ms,
        write_ms=highlights.write_ms,
        total_ms=total_ms,
    )
    return SummarizeResponse(**fields, source=source, timing=timing, model=model)
