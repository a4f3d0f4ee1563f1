"""What is asked about an article, and what is answered: types only, without torch."""

from pydantic import BaseModel, Field

from highlighter.inference.trust import Doubt


class HighlightRequest(BaseModel):
    """One article, and what is wanted of it.

    `important` will be the paragraphs with the `top_k` highest scores, or all that score at least
    `threshold`; both given, both must hold; neither given, the checkpoint's own number.
    `max_summary_tokens` can only lower the checkpoint's own limit.
    """

    article: str
    top_k: int | None = None
    threshold: float | None = None
    max_summary_tokens: int | None = None


class Paragraph(BaseModel):
    """A piece of the article, verbatim: `article[start:end] == text`."""

    text: str
    start: int
    end: int
    score: float = Field(description="How important it is, 0 to 1")
    important: bool


class Counts(BaseModel):
    """The article's size; `windows` is how many were read."""

    characters: int
    words: int
    sentences: int
    windows: int


class Truncated(BaseModel):
    """`source`: the summary was written from a part of the article, as the whole doesn't fit.

    `summary`: what was written reached the token limit before its end.
    """

    source: bool
    summary: bool


class Reading(BaseModel):
    """An article's paragraphs (its sentences, if it has one paragraph)."""

    paragraphs: list[Paragraph]
    counts: Counts


class Summary(BaseModel):
    """The model's own words, unless there is a `doubt`: then the most salient sentences, verbatim.

    `confidence` is the geometric mean of the probabilities of the tokens that the model wrote.
    """

    summary: str
    doubt: Doubt | None
    confidence: float
    truncated: Truncated


class Highlights(Reading, Summary):
    """All about one article; the times are those of the batch that it was a part of."""

    read_ms: float
    write_ms: float
