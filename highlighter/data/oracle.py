"""Which sentences a perfect extractor takes: the labels of the salience head."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_NOT_WORD = re.compile(r"[^a-z0-9 ]+")


def greedy_oracle(sentences: Sequence[str], highlights: str, limit: int = 3) -> list[int]:
    """Indices, ascending, of at most `limit` sentences that together match the highlights best.

    The greedy selection of BertSumExt (Liu & Lapata 2019, section 3.2 and released code): add the
    sentence that raises ROUGE-1 F1 + ROUGE-2 F1 most, until none does. As there, n-grams count
    once and are not stemmed. Each sentence keeps only what it would add, so a pass over the article
    compares numbers of n-grams, and there are `limit` passes.
    """
    wanted = _ngrams(highlights)
    # What of each sentence no chosen one has yet, and what of that the highlights have.
    new = [_ngrams(sentence) for sentence in sentences]
    hits = [[own & want for own, want in zip(grams, wanted, strict=True)] for grams in new]
    # A sentence without a word of the highlights can only lower both scores.
    candidates = [index for index, (unigrams, _) in enumerate(hits) if unigrams]
    size, matched = [0, 0], [0, 0]
    chosen: list[int] = []
    best = 0.0
    while len(chosen) < limit:
        winner = None
        for index in candidates:
            score = 0.0
            for order, want in enumerate(wanted):
                match = matched[order] + len(hits[index][order])
                if match:
                    score += 2 * match / (size[order] + len(new[index][order]) + len(want))
            if score > best:
                best, winner = score, index
        if winner is None:
            break
        chosen.append(winner)
        candidates.remove(winner)
        for order in range(len(wanted)):
            size[order] += len(new[winner][order])
            matched[order] += len(hits[winner][order])
            for index in candidates:
                new[index][order] -= new[winner][order]
                hits[index][order] -= hits[winner][order]
    return sorted(chosen)


def _ngrams(text: str) -> list[set[Any]]:
    """The text's words, and its pairs of neighbouring words."""
    words = _NOT_WORD.sub("", text.lower()).split()
    return [set(words), set(pairwise(words))]
