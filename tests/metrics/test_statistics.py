import math

import numpy as np
import pytest

from highlighter.metrics.statistics import (
    calibration_bins,
    calibration_error,
    mean_interval,
    paired_difference,
)


def test_the_interval_agrees_with_theory_for_a_normal_sample() -> None:
    values = np.random.default_rng(0).normal(50, 10, 400)
    interval = mean_interval(values, resamples=4000, seed=1)
    error = 1.96 * values.std(ddof=1) / 20
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - error, abs=0.1)
    assert interval.high == pytest.approx(values.mean() + error, abs=0.1)


def test_about_95_percent_of_the_intervals_contain_the_true_mean() -> None:
    draws = np.random.default_rng(2).exponential(1.0, (300, 100))
    hits = sum(i.low <= 1 <= i.high for i in (mean_interval(d, 400, 0) for d in draws))
    assert 0.90 <= hits / 300 <= 0.98


def test_the_same_seed_gives_the_same_interval() -> None:
    values = list(range(50))
    assert mean_interval(values, 500, 3) == mean_interval(values, 500, 3)
    assert mean_interval(values, 500, 3) != mean_interval(values, 500, 4)


def test_pairs_are_drawn_together() -> None:
    """A constant gain has no spread, however much the rows differ."""
    ours = np.random.default_rng(0).uniform(0, 100, 50)
    gain = paired_difference(ours + 0.5, ours, 500, 0)
    assert (gain.mean, gain.low, gain.high) == pytest.approx((0.5, 0.5, 0.5))


def test_rows_without_a_value_are_left_out_and_none_at_all_is_nan() -> None:
    assert mean_interval([1.0, math.nan, 3.0], 500, 0).mean == 2.0
    assert math.isnan(mean_interval([math.nan], 500, 0).low)
    assert mean_interval([4.0], 500, 0).high == 4.0


def test_probabilities_that_come_true_as_often_as_they_say_are_calibrated() -> None:
    draw = np.random.default_rng(4)
    probabilities = draw.uniform(0, 1, 20_000)
    truths = draw.uniform(0, 1, 20_000) < probabilities
    assert calibration_error(calibration_bins(probabilities, truths)) < 0.015
    # Twice as many come true as they say.
    assert calibration_error(calibration_bins(probabilities / 2, truths)) == pytest.approx(
        0.25, abs=0.01
    )


def test_the_calibration_error_by_hand() -> None:
    bins = calibration_bins([0.05, 0.15, 0.15, 1.0], [0, 1, 0, 1])
    assert [(part.count, part.share) for part in bins] == [(1, 0), (2, 0.5), (1, 1)]
    assert calibration_error(bins) == pytest.approx((0.05 + 2 * 0.35 + 0) / 4)
    assert math.isnan(calibration_error([]))
