"""Types of requests and answers. Importing them does not import torch."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

Doubt = Literal[
    "empty",
    "damaged",
    "unsupported_facts",
    "contradicts_article",
    "low_confidence",
    "misses_salient",
    "unfamiliar",
]


class Options(BaseModel):
    """Options of one article. A number must be a JSON number: `true` and `"3"` are refused."""

    model_config = ConfigDict(extra="forbid")

    top_k: int | None = Field(
        None,
        ge=1,
        le=50,
        description="Number of paragraphs to mark as important; null: the model's default, but at "
        "most half",
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="Minimum score of a paragraph to be marked"
    )
    max_summary_tokens: int | None = Field(
        None,
        ge=8,
        le=512,
        description="Maximum length of the summary in tokens; the model's own limit still applies",
    )

    @field_validator("top_k", "threshold", "max_summary_tokens", mode="before")
    @classmethod
    def _require_number(cls, value: object) -> object:
        # pydantic would convert both; its strict mode refuses 3.0, which JSON Schema accepts.
        if isinstance(value, bool | str):
            raise PydanticCustomError("number_type", "Input should be a number")
        return value


class HighlightRequest(Options):
    """One article and the options of its answer.

    `important` marks the `top_k` paragraphs with the highest scores, or those that score at least
    `threshold`. If both are given, a paragraph has to meet both; if neither is given, `top_k` is
    the number of sentences of the extract, but at most half of the paragraphs, rounded up, and
    `threshold` a quarter of the best score.
    `max_summary_tokens` can only lower the checkpoint's limit.
    """

    article: str


class Paragraph(BaseModel):
    """A verbatim part of the article: `article[start:end] == text`."""

    text: str
    start: int
    end: int
    score: float = Field(description="Importance of the paragraph, 0 to 1")
    important: bool


class Counts(BaseModel):
    """Size of the article, and the number of encoder windows it was read in."""

    characters: int
    words: int
    sentences: int
    windows: int


class Truncated(BaseModel):
    """Whether the decoder read only a part of the article, and whether its text was cut off.

    `source`: the article is longer than the decoder's source. `summary`: the generated text reached
    the token limit before its end token.
    """

    source: bool
    summary: bool


class Reading(BaseModel):
    """The scored paragraphs of an article, or its sentences if it has only one paragraph."""

    paragraphs: list[Paragraph]
    counts: Counts


class Summary(BaseModel):
    """The generated summary, or the most salient sentences verbatim if there is a `doubt`.

    `confidence` is the geometric mean of the probabilities of the generated tokens, in 0..1.
    """

    summary: str
    doubt: Doubt | None
    confidence: float
    truncated: Truncated
    facts_checked: bool = Field(
        description="Whether the names, numbers and dates of the generated text were compared with "
        "the article's; false if the article is not in English, for which the rules are made, or "
        "the model was registered without this check"
    )


class Highlights(Reading, Summary):
    """The complete answer; the times in milliseconds are those of the article's batch."""

    read_ms: float
    write_ms: float


_TIMES = ("read_ms", "write_ms")
# What an answer says of the article: the same wherever and whenever it is computed.
ANSWER_FIELDS = tuple(name for name in Highlights.model_fields if name not in _TIMES)
