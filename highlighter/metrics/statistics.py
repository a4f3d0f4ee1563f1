"""Bootstrap intervals of means and of paired differences; calibration of probabilities."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel
from scipy.stats import bootstrap


class Interval(BaseModel):
    """A mean and its 95 % percentile-bootstrap interval."""

    mean: float
    low: float
    high: float


def mean_interval(values: ArrayLike, resamples: int, seed: int) -> Interval:
    """Return the mean of the finite values, and its interval.

    Rows are resampled with replacement (Efron 1979; Koehn 2004 for texts). If all values are equal,
    low = mean = high.

    Args:
        values: one per row; NaN marks a row to which the measure does not apply.
        resamples: number of bootstrap samples.
        seed: seed of the resampling.
    """
    array = np.asarray(values, dtype=np.float64)
    array = array[np.isfinite(array)]
    if array.size == 0:
        return Interval(mean=float("nan"), low=float("nan"), high=float("nan"))
    mean = float(array.mean())
    if np.ptp(array) == 0:
        return Interval(mean=mean, low=mean, high=mean)
    result = bootstrap(
        (array,),
        np.mean,
        n_resamples=resamples,
        batch=max(1, 10_000_000 // array.size),  # samples drawn at once; bounds the memory
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return Interval(mean=mean, low=float(low), high=float(high))


def paired_difference(ours: ArrayLike, theirs: ArrayLike, resamples: int, seed: int) -> Interval:
    """Return the mean of ours - theirs; the two values of a row are resampled together."""
    return mean_interval(np.subtract(ours, theirs), resamples, seed)


def ratio_interval(
    parts: NDArray[np.float64], wholes: NDArray[np.float64], resamples: int, seed: int
) -> Interval:
    """Return sum(parts) / sum(wholes); the two values of a row are resampled together."""
    counted = wholes > 0
    parts, wholes = parts[counted], wholes[counted]
    if not parts.size:
        return Interval(mean=float("nan"), low=float("nan"), high=float("nan"))
    ratio = float(parts.sum() / wholes.sum())
    if (parts == wholes).all() or parts.size == 1:
        return Interval(mean=ratio, low=ratio, high=ratio)
    low, high = bootstrap(
        (parts, wholes),
        lambda p, w, axis: p.sum(axis=axis) / w.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, 10_000_000 // parts.size),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(mean=ratio, low=float(low), high=float(high))


class CalibrationBin(BaseModel):
    """Predictions with about the same probability; `share` of them are true."""

    count: int
    probability: float
    share: float


def calibration_bins(
    probabilities: ArrayLike, truths: ArrayLike, bins: int = 10
) -> list[CalibrationBin]:
    """Return the predictions in bins of equal width, without empty bins.

    Args:
        probabilities: in 0..1, one per prediction.
        truths: whether each prediction came true, 0 or 1.
        bins: number of bins of 0..1.
    """
    given, true = np.asarray(probabilities, np.float64), np.asarray(truths, np.float64)
    places = np.minimum((given * bins).astype(int), bins - 1)
    return [
        CalibrationBin(
            count=int(part.sum()),
            probability=float(given[part].mean()),
            share=float(true[part].mean()),
        )
        for part in (places == number for number in range(bins))
        if part.any()
    ]


def calibration_error(bins: list[CalibrationBin]) -> float:
    """Return the expected calibration error, in 0..1 (Naeini et al. 2015); NaN without bins."""
    total = sum(part.count for part in bins)
    if not total:
        return float("nan")
    return sum(part.count * abs(part.probability - part.share) for part in bins) / total
