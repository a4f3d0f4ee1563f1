import pytest
from hypothesis import given
from hypothesis import strategies as st

from highlighter.data.windows import fill_source, plan_windows


@pytest.mark.parametrize(
    ("lengths", "overlap", "expected"),
    [
        ([], 3, []),
        ([4, 4], 3, [range(0, 2)]),
        ([5, 5, 5], 0, [range(0, 2), range(2, 3)]),
        ([4, 3, 3, 4], 3, [range(0, 3), range(2, 4)]),
        ([10, 10, 10], 5, [range(0, 1), range(1, 2), range(2, 3)]),
    ],
)
def test_windows_of_ten_tokens(lengths: list[int], overlap: int, expected: list[range]) -> None:
    assert plan_windows(lengths, 10, overlap) == expected


@given(st.lists(st.integers(0, 100), max_size=200), st.integers(0, 50))
def test_every_segment_is_read_no_window_overflows_and_cost_is_linear(
    lengths: list[int], overlap: int
) -> None:
    windows = plan_windows(lengths, 100, overlap)
    assert {segment for window in windows for segment in window} == set(range(len(lengths)))
    assert all(sum(lengths[segment] for segment in window) <= 100 for window in windows)
    for before, after in zip(windows, windows[1:], strict=False):
        assert before.start < after.start <= before.stop < after.stop
        repeated = sum(lengths[segment] for segment in range(after.start, before.stop))
        assert repeated <= overlap
    # Two windows in a row hold more than one budget, or the second would not have been opened.
    read = sum(lengths[segment] for window in windows for segment in window)
    assert read <= sum(lengths) + overlap * len(windows)


@pytest.mark.parametrize(
    ("lengths", "scores", "expected"),
    [
        ([4, 4, 4], [0.1, 0.9, 0.5], [1, 2]),
        ([4, 4, 4], [0.5, 0.5, 0.5], [0, 1]),
        ([9, 2, 8], [0.9, 0.1, 0.8], [0]),  # 8 no longer fits, nor does 2
        ([7, 8, 3], [0.9, 0.8, 0.1], [0, 2]),  # a shorter, later one fills the room
        ([], [], []),
    ],
)
def test_source_is_filled_by_score_and_kept_in_order(
    lengths: list[int], scores: list[float], expected: list[int]
) -> None:
    assert fill_source(lengths, scores, 10) == expected


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1)), max_size=60))
def test_a_source_never_overflows_and_leaves_no_room_for_a_segment(
    segments: list[tuple[int, float]],
) -> None:
    lengths, scores = [p[0] for p in segments], [p[1] for p in segments]
    taken = fill_source(lengths, scores, 100)
    assert taken == sorted(set(taken))
    room = 100 - sum(lengths[i] for i in taken)
    assert room >= 0
    assert all(lengths[i] > room for i in range(len(lengths)) if i not in taken)
