"""Choose the sentences closest to the highlights: the labels of the salience head."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from highlighter.data.characters import (
    fold_compatible,
    has_other_scripts,
    words_of_all_scripts,
)

_NOT_WORD = re.compile(r"[^a-z0-9 ]+")


def greedy_oracle(sentences: Sequence[str], highlights: str, limit: int = 3) -> list[int]:
    """Return the indices, ascending, of at most `limit` sentences that together match best.

    The greedy selection of BertSumExt (Liu & Lapata 2019, section 3.2 and released code): add the
    sentence that raises ROUGE-1 F1 + ROUGE-2 F1 most, until none does. As there, n-grams count
    once and are not stemmed. Only n-grams that no chosen sentence has are kept per sentence, so
    that a pass over the article compares counts; there are at most `limit` passes.

    Args:
        sentences: the article's sentences.
        highlights: the reference highlights.
        limit: maximum number of sentences.
    """
    reference = _ngrams(highlights)
    # Per sentence: n-grams not in a chosen sentence, and those of them that the highlights have.
    new = [_ngrams(sentence) for sentence in sentences]
    hits = [[own & ref for own, ref in zip(grams, reference, strict=True)] for grams in new]
    # A sentence without a word of the highlights can only lower both scores.
    candidates = [index for index, (unigrams, _) in enumerate(hits) if unigrams]
    size, matched = [0, 0], [0, 0]
    chosen: list[int] = []
    best = 0.0
    while len(chosen) < limit:
        winner = None
        for index in candidates:
            score = 0.0
            for order, ref in enumerate(reference):
                match = matched[order] + len(hits[index][order])
                if match:
                    score += 2 * match / (size[order] + len(new[index][order]) + len(ref))
            if score > best:
                best, winner = score, index
        if winner is None:
            break
        chosen.append(winner)
        candidates.remove(winner)
        for order in range(len(reference)):
            size[order] += len(new[winner][order])
            matched[order] += len(hits[winner][order])
            for index in candidates:
                new[index][order] -= new[winner][order]
                hits[index][order] -= hits[winner][order]
    return sorted(chosen)


def _ngrams(text: str) -> list[set[Any]]:
    """Return the set of words and the set of word pairs."""
    text = fold_compatible(text)
    if has_other_scripts(text):
        words = words_of_all_scripts(text)
    else:
        words = _NOT_WORD.sub("", text.lower()).split()
    return [set(words), set(pairwise(words))]
