"""Bootstrap intervals of means and of paired differences."""

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel
from scipy.stats import bootstrap


class Interval(BaseModel):
    """A mean and its 95 % percentile-bootstrap interval."""

    mean: float
    low: float
    high: float


def mean_interval(values: ArrayLike, resamples: int, seed: int) -> Interval:
    """The mean of the finite values, with its interval.

    Rows are resampled with replacement (Efron 1979; Koehn 2004 for texts). NaN marks a row that
    the measure does not apply to. One row, or rows all alike, have no spread: low = mean = high.
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
        batch=max(1, 10_000_000 // array.size),  # rows drawn at once: bounded memory
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return Interval(mean=mean, low=float(low), high=float(high))


def paired_difference(ours: ArrayLike, theirs: ArrayLike, resamples: int, seed: int) -> Interval:
    """The mean of ours - theirs over the same rows; both of a row are drawn together."""
    return mean_interval(np.subtract(ours, theirs), resamples, seed)
