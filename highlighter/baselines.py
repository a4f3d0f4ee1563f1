"""Summaries that any model has to beat."""

from highlighter.segmentation import sentence_texts


def lead(article: str, sentences: int = 3) -> str:
    """The article's first sentences, one a line."""
    return "\n".join(sentence_texts(article)[:sentences])
