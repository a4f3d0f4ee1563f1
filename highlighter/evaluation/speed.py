"""How much faster a student answers than its teacher: in turn, one article at a time."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from highlighter.evaluation.tradeoff import Speed
from highlighter.highlights import HighlightRequest
from highlighter.inference import Summarizer, best_device
from highlighter.statistics import ratio_interval


def compare_speed(
    teacher: Path, student: Path, articles: Sequence[str], *, resamples: int, seed: int
) -> Speed:
    """Have two registered checkpoints answer the same articles, each with its own writer."""
    summarizers = [Summarizer.load(folder) for folder in (teacher, student)]
    for summarizer in summarizers:
        _seconds(summarizer, articles[0])  # the first call of each is slower
    seconds = np.zeros((len(articles), 2))
    for number, article in enumerate(articles):
        # Who comes first changes, so that a machine that slows down is unfair to neither.
        for which in (0, 1) if number % 2 else (1, 0):
            seconds[number, which] = _seconds(summarizers[which], article)
    medians = np.median(seconds, axis=0)
    return Speed(
        articles=len(articles),
        device=best_device().type,
        threads=torch.get_num_threads(),
        teacher=float(medians[0]),
        student=float(medians[1]),
        ratio=ratio_interval(seconds[:, 0], seconds[:, 1], resamples, seed),
    )


def _seconds(summarizer: Summarizer, article: str) -> float:
    started = time.perf_counter()
    summarizer.summarize([HighlightRequest(article=article)])
    return time.perf_counter() - started
