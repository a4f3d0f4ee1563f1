"""Overlapping windows that together cover an article of any length."""

from collections.abc import Sequence


def plan_windows(lengths: Sequence[int], budget: int, overlap: int) -> list[range]:
    """Ranges of pieces, in order, that cover all of them; none holds more than `budget` tokens.

    A window starts with the last pieces of the one before, up to `overlap` tokens of them, so that
    a sentence near a border is read with what stands before it. Cost is linear in the pieces.

    Args:
        lengths: tokens of each piece, none above `budget`.
        budget: tokens a window can hold.
        overlap: tokens that may be read twice at each border, at most half of `budget`.
    """
    windows: list[range] = []
    start = 0
    while start < len(lengths):
        end, held = start, 0
        while end < len(lengths) and held + lengths[end] <= budget:
            held += lengths[end]
            end += 1
        windows.append(range(start, end))
        if end == len(lengths):
            break
        # Step back over whole pieces, but leave room for the next new one: progress is certain.
        repeated, start = 0, end
        while (
            start - 1 > windows[-1].start
            and repeated + lengths[start - 1] <= overlap
            and repeated + lengths[start - 1] + lengths[end] <= budget
        ):
            start -= 1
            repeated += lengths[start]
    return windows
