"""Sequence-level distillation: a teacher's summaries as training targets (Kim & Rush 2016)."""

from collections.abc import Sequence
from pathlib import Path

from highlighter.inference.answers import HighlightRequest
from highlighter.inference.summarizer import Summarizer

_BATCH = 32


def write_targets(
    teacher: Path, articles: Sequence[str], references: Sequence[str]
) -> tuple[list[str], int]:
    """What the teacher writes of each article, as it is served, and how many of them it wrote.

    Where its own summary is doubted, the reference stays.
    """
    requests = [HighlightRequest(article=article) for article in articles]
    answers = Summarizer.load(teacher).summarize(requests, batch_size=_BATCH)
    targets = [
        reference if answer.doubt else answer.summary
        for answer, reference in zip(answers, references, strict=True)
    ]
    return targets, sum(answer.doubt is None for answer in answers)
