"""Choose sentences and paragraphs by their scores, and check a generated summary."""

from collections.abc import Sequence

from highlighter.data.characters import count_words, has_visible_text
from highlighter.data.sentences import Span, split_paragraphs
from highlighter.inference.answers import Doubt, Paragraph
from highlighter.inference.damage import is_damaged
from highlighter.metrics.contradictions import find_contradictions
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.metrics.text import coverage
from highlighter.settings import TrustSettings

_LEAST_SHARE = 0.25  # of the best score: of an important paragraph, if the request does not say


def best_sentences(
    sentences: Sequence[str],
    scores: Sequence[float],
    count: int,
    trigram_blocking: bool,
    *,
    words: int | None = None,
) -> list[int]:
    """Return the indices, in article order, of the sentences with the highest scores.

    With trigram blocking, a sentence that shares a trigram with a better one is skipped
    (Paulus et al. 2018). Ties go to the earlier sentence.

    Args:
        sentences: texts of the sentences.
        scores: one per sentence.
        count: number of sentences to return, if `words` is None.
        trigram_blocking: whether to skip sentences.
        words: the number of words that the returned sentences, at least one, come closest to as
            sentences are added by score.
    """
    chosen: list[int] = []
    seen: set[tuple[str, ...]] = set()
    missing = words or 0
    for index in _ranking(scores):
        own = sentences[index].lower().split()
        trigrams = set(zip(own, own[1:], own[2:], strict=False))
        if trigram_blocking and trigrams & seen:
            continue
        if words is not None:
            left = missing - count_words(sentences[index])
            if chosen and abs(left) > missing:
                break
            missing = left
        chosen.append(index)
        seen |= trigrams
        if missing <= 0 if words is not None else len(chosen) == count:
            break
    return sorted(chosen)


def quote_sentences(article: str, sentences: Sequence[Span], chosen: Sequence[int]) -> str:
    """Return the chosen sentences as they are in the article.

    Neighbors keep the white space between them, which some scripts do not have. Other sentences,
    and those of different lines or with boilerplate between them, are on separate lines.

    Args:
        article: the text.
        sentences: spans of its sentences.
        chosen: indices, ascending, of the sentences to return.
    """
    text = ""
    previous = None
    for index in chosen:
        span = sentences[index]
        if previous is not None:
            gap = article[sentences[previous].end : span.start]
            on_one_line = len(f"{gap}.".splitlines()) == 1 and not has_visible_text(gap)
            text += gap if index == previous + 1 and on_one_line else "\n"
        text += article[span.start : span.end]
        previous = index
    return text


def score_paragraphs(
    paragraphs: Sequence[Span], sentences: Sequence[Span], scores: Sequence[float]
) -> list[float]:
    """Return each paragraph's score: the highest score of its sentences.

    A sum would grow with the paragraph's length; a mean would lower the score of a paragraph that
    adds background to its news.
    """
    best = [0.0] * len(paragraphs)
    number = 0
    for sentence, score in zip(sentences, scores, strict=True):
        while sentence.start >= paragraphs[number].end:
            number += 1
        best[number] = max(best[number], score)
    return best


def mark_paragraphs(
    article: str,
    sentences: Sequence[Span],
    scores: Sequence[float],
    top_k: int | None,
    threshold: float | None,
    *,
    default: int,
) -> list[Paragraph]:
    """Return the article's paragraphs with scores, or its sentences if it has one paragraph.

    Args:
        article: the text.
        sentences: spans of its sentences.
        scores: probability of each sentence to be salient.
        top_k: number of paragraphs to mark as important.
        threshold: lowest score of an important paragraph.
        default: number to mark if neither is given; of a short article at most half, and none
            whose score is below a quarter of the best.
    """
    spans = split_paragraphs(article)
    if len(spans) > 1:
        scores = score_paragraphs(spans, sentences, scores)
    else:
        spans = list(sentences)
    if top_k is None and threshold is None:
        top_k = min(default, (len(spans) + 1) // 2)
        threshold = _LEAST_SHARE * max(scores, default=0.0)
    best = set(_ranking(scores)[:top_k])
    return [
        Paragraph(
            text=article[span.start : span.end],
            start=span.start,
            end=span.end,
            score=score,
            important=index in best and (threshold is None or score >= threshold),
        )
        for index, (span, score) in enumerate(zip(spans, scores, strict=True))
    ]


def find_doubt(
    summary: str,
    confidence: float,
    facts: ArticleFacts,
    salient: str,
    settings: TrustSettings,
    *,
    sentences: Sequence[str],
    cut_off: bool,
    familiar: bool = True,
) -> Doubt | None:
    """Return the first reason not to show a generated summary, or None.

    Args:
        summary: the generated text.
        confidence: geometric mean of its tokens' probabilities.
        facts: facts of the article; names, numbers and dates of the summary are checked by the
            rules of `metrics.faithfulness`.
        salient: the most salient sentences. A summary with too few of their words shows that the
            decoder and the salience head, which are trained separately, disagree.
        settings: the limits.
        sentences: the article's sentences.
        cut_off: whether the summary reached the token limit; then its coverage is not checked.
        familiar: whether the article's words are about as rare as those of the articles that the
            decoder was trained and measured on.
    """
    if not summary:
        return "empty"
    if is_damaged(summary, sentences, cut_off=cut_off):
        return "damaged"
    if settings.supported_facts_only and (doubt := _find_error(summary, facts, sentences)):
        return doubt
    if confidence < settings.minimum_confidence:
        return "low_confidence"
    if not cut_off and coverage(summary, salient) < settings.minimum_coverage:
        return "misses_salient"
    return None if familiar else "unfamiliar"


def _find_error(summary: str, facts: ArticleFacts, sentences: Sequence[str]) -> Doubt | None:
    if facts.unsupported(summary):
        return "unsupported_facts"
    return "contradicts_article" if find_contradictions(summary, sentences) else None


def _ranking(scores: Sequence[float]) -> list[int]:
    """Return the indices by descending score; ties in order."""
    return sorted(range(len(scores)), key=lambda i: (-scores[i], i))
