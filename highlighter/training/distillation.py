"""Sequence-level distillation: a teacher's summaries as targets (Kim and Rush 2016)."""

from collections.abc import Sequence
from pathlib import Path

from highlighter.inference.answers import HighlightRequest
from highlighter.inference.summarizer import Summarizer

_BATCH = 32


def write_targets(
    teacher: Path, articles: Sequence[str], references: Sequence[str]
) -> tuple[list[str], int]:
    """Summarize articles with a teacher, as the service would; return the training targets.

    A summary that fails a check is replaced by its reference.

    Args:
        teacher: folder of a registered checkpoint.
        articles: texts to summarize.
        references: summaries of the corpus, one per article.

    Returns:
        One target per article, and the number of targets that are the teacher's.
    """
    requests = [HighlightRequest(article=article) for article in articles]
    answers = Summarizer.load(teacher).summarize(requests, batch_size=_BATCH)
    targets = [
        reference if answer.doubt else answer.summary
        for answer, reference in zip(answers, references, strict=True)
    ]
    return targets, sum(answer.doubt is None for answer in answers)
