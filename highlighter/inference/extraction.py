"""Choose among an article's sentences by their scores."""

from collections.abc import Sequence

from highlighter.data.sentences import Span


def best_sentences(
    sentences: Sequence[str], scores: Sequence[float], count: int, trigram_blocking: bool
) -> list[int]:
    """Indices, in article order, of the `count` sentences with the highest scores.

    With trigram blocking, a sentence that shares a trigram with a better one is passed over
    (Paulus et al. 2018); ties go to the earlier sentence.
    """
    chosen: list[int] = []
    seen: set[tuple[str, ...]] = set()
    for index in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        words = sentences[index].lower().split()
        trigrams = set(zip(words, words[1:], words[2:], strict=False))
        if trigram_blocking and trigrams & seen:
            continue
        chosen.append(index)
        seen |= trigrams
        if len(chosen) == count:
            break
    return sorted(chosen)


def score_paragraphs(
    paragraphs: Sequence[Span], sentences: Sequence[Span], scores: Sequence[float]
) -> list[float]:
    """Each paragraph's score: that of its best sentence.

    A sum or "at least one" probability grows with the paragraph; a mean punishes a paragraph for
    background around its news.
    """
    best = [0.0] * len(paragraphs)
    place = 0
    for sentence, score in zip(sentences, scores, strict=True):
        while sentence.start >= paragraphs[place].end:
            place += 1
        best[place] = max(best[place], score)
    return best
