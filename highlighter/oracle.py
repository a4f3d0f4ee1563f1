"""Which sentences a perfect extractor takes: the labels of the salience head."""

import re
from collections.abc import Sequence

_NOT_WORD = re.compile(r"[^a-z0-9 ]+")
_ORDERS = (1, 2)


def greedy_oracle(sentences: Sequence[str], highlights: str, limit: int = 3) -> list[int]:
    """Indices, ascending, of at most `limit` sentences that together match the highlights best.

    The greedy selection of BertSumExt (Liu & Lapata 2019, section 3.2 and released code): add the
    sentence that raises ROUGE-1 F1 + ROUGE-2 F1 most, until none does. As there, n-grams count
    once and are not stemmed. A step counts only what a sentence would add, so the whole costs
    `limit` passes over the article.
    """
    wanted = [_ngrams(highlights, order) for order in _ORDERS]
    grams = [[_ngrams(sentence, order) for order in _ORDERS] for sentence in sentences]
    hits = [[g & w for g, w in zip(own, wanted, strict=True)] for own in grams]
    # A sentence without a word of the highlights can only lower both scores.
    candidates = [index for index, (unigrams, _) in enumerate(hits) if unigrams]
    taken: list[set[tuple[str, ...]]] = [set() for _ in _ORDERS]
    taken_hits = [0 for _ in _ORDERS]
    chosen: list[int] = []
    best = 0.0
    while len(chosen) < limit:
        winner = None
        for index in candidates:
            score = 0.0
            for order in range(len(_ORDERS)):
                matched = taken_hits[order] + len(hits[index][order] - taken[order])
                size = len(taken[order]) + len(grams[index][order] - taken[order])
                score += 2 * matched / (size + len(wanted[order])) if matched else 0.0
            if score > best:
                best, winner = score, index
        if winner is None:
            break
        chosen.append(winner)
        candidates.remove(winner)
        for order in range(len(_ORDERS)):
            taken_hits[order] += len(hits[winner][order] - taken[order])
            taken[order] |= grams[winner][order]
    return sorted(chosen)


def _ngrams(text: str, order: int) -> set[tuple[str, ...]]:
    words = _NOT_WORD.sub("", text.lower()).split()
    return set(zip(*(words[start:] for start in range(order)), strict=False))
