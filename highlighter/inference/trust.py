"""Whether a written summary can be given to a reader, or sentences of the article instead."""

from typing import Literal

from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.metrics.text import coverage
from highlighter.settings import TrustSettings

Doubt = Literal["empty", "unsupported_facts", "low_confidence", "misses_salient"]


def doubt(
    summary: str,
    confidence: float,
    article: ArticleFacts,
    salient: str,
    settings: TrustSettings,
    *,
    cut_off: bool,
) -> Doubt | None:
    """The first reason not to trust a summary, or None.

    A summary is doubted if it is empty, if one of its names, numbers or dates does not stand in
    the article (the rule of `metrics.faithfulness`), if the model's mean token probability says
    that it was guessing, or if it says too few of the words of `salient`, the most salient
    sentences: then decoder and salience head, which learn apart, disagree on what matters. One that
    was cut off could not say all that matters, and is not asked that.
    """
    if not summary:
        return "empty"
    if settings.supported_facts_only and article.unsupported(summary):
        return "unsupported_facts"
    if confidence < settings.minimum_confidence:
        return "low_confidence"
    if not cut_off and coverage(summary, salient) < settings.minimum_coverage:
        return "misses_salient"
    return None
