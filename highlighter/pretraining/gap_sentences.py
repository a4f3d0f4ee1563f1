"""PEGASUS's choice of an article's principal sentences."""

from collections import Counter
from collections.abc import Sequence


def principal_pieces(pieces: Sequence[Sequence[int]], budget: int) -> list[int]:
    """Indices, ascending, of the pieces most like the rest of the text that fit into `budget`.

    Each is scored by itself, by ROUGE-1 F1 of its tokens against all others: "Ind-Orig" of Zhang
    et al. 2020 (PEGASUS, section 3.1). At least one is chosen, however long.
    """
    whole: Counter[int] = Counter(token for piece in pieces for token in piece)
    size = whole.total()
    scores = []
    for piece in pieces:
        own = Counter(piece)
        shared = sum(min(count, whole[token] - count) for token, count in own.items())
        scores.append(2 * shared / max(1, size))  # sizes of both sides add up to the whole
    order = sorted(range(len(pieces)), key=lambda index: (-scores[index], index))
    chosen, room = order[:1], budget - len(pieces[order[0]]) if order else 0
    for index in order[1:]:
        if len(pieces[index]) > room:
            break
        chosen.append(index)
        room -= len(pieces[index])
    return sorted(chosen)
