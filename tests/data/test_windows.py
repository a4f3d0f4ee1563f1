import pytest
from hypothesis import given
from hypothesis import strategies as st

from highlighter.data.windows import plan_windows


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
