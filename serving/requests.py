"""What can be asked, and what is answered."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from highlighter.inference.answers import Highlights, Reading, Summary
from serving.errors import ErrorDetail

EXAMPLE = (
    "The Ashford ferry will return to service on 3 May, the harbour board said on Tuesday.\n\n"
    "The vessel was withdrawn in January after cracks were found in its hull. Repairs cost "
    "£1.4 million, twice the first estimate.\n\n"
    "“We know how hard the winter was for the islanders,” said Maren Holt, who chairs the board."
)


class Options(BaseModel):
    """How much is wanted."""

    model_config = ConfigDict(extra="forbid")

    top_k: int | None = Field(
        None, ge=1, le=50, description="Mark this many paragraphs; without it, the model's default"
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="Mark only paragraphs that score at least this"
    )
    max_summary_tokens: int | None = Field(
        None, ge=8, le=512, description="Stop writing there; never above the model's own limit"
    )


class SummarizeRequest(Options):
    """An article, or the URL of one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"article": EXAMPLE, "top_k": 1}]})

    article: str | None = Field(None, description="The article's text")
    url: str | None = Field(None, max_length=2_000, description="An http or https address")

    @model_validator(mode="after")
    def _name_one_source(self) -> Self:
        if (self.article is None) == (self.url is None):
            raise ValueError("give either `article` or `url`")
        return self


class BatchRequest(BaseModel):
    """Several articles or URLs, each with its own options."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"articles": [{"article": EXAMPLE}, {"article": " "}]}]},
    )

    # Entries are validated one by one, so that a bad one is its own error.
    articles: list[dict[str, object]] = Field(min_length=1)


class Source(BaseModel):
    """Where a fetched article stands."""

    url: str = Field(description="after redirects")
    title: str | None


class Timing(BaseModel):
    """Milliseconds. Reading and writing are those of the batch that the article was a part of."""

    fetch_ms: float
    queue_ms: float
    read_ms: float
    write_ms: float
    total_ms: float


class ServedModel(BaseModel):
    """Which model answered."""

    tag: str
    version: str
    mlflow_run_id: str


class Shared(BaseModel):
    """What every answer tells beside the highlights."""

    source: Source | None
    timing: Timing
    model: ServedModel


class SummarizeResponse(Reading, Summary, Shared):
    """The article's paragraphs and its summary."""


class BatchEntry(BaseModel):
    """One article's answer, or why there is none."""

    result: SummarizeResponse | None = None
    error: ErrorDetail | None = None


class BatchResponse(BaseModel):
    """Entries in the order of the request."""

    articles: list[BatchEntry]


def respond(
    highlights: Highlights,
    source: Source | None,
    model: ServedModel,
    *,
    fetch_ms: float,
    total_ms: float,
) -> SummarizeResponse:
    """The answer for one article; what no step took is time in the queue."""
    known = highlights.model_dump(exclude={"read_ms", "write_ms"})
    spent = fetch_ms + highlights.read_ms + highlights.write_ms
    timing = Timing(
        fetch_ms=fetch_ms,
        queue_ms=max(0.0, total_ms - spent),
        read_ms=highlights.read_ms,
        write_ms=highlights.write_ms,
        total_ms=total_ms,
    )
    return SummarizeResponse(**known, source=source, timing=timing, model=model)
