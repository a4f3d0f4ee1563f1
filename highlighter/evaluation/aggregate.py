"""Aggregate scored rows: means with intervals, differences, slices."""

from collections.abc import Callable

import datasets
import numpy as np
import pyarrow
from numpy.typing import ArrayLike, NDArray

from highlighter.evaluation.record import (
    Evaluation,
    Slice,
    SourceComparison,
    SystemScores,
    column,
    present_systems,
    recall_column,
)
from highlighter.metrics.rouge import division_into_words
from highlighter.metrics.statistics import (
    CalibrationBin,
    Interval,
    calibration_bins,
    mean_interval,
    paired_difference,
    ratio_interval,
)
from highlighter.settings import (
    ROUGE_TYPES,
    EvaluationSettings,
    GenerationSettings,
    HighlightSettings,
)


def sum_up(
    rows: datasets.Dataset,
    *,
    writer: str,
    test_fingerprint: str,
    generation: GenerationSettings,
    highlights: HighlightSettings,
    settings: EvaluationSettings,
    seed: int,
) -> Evaluation:
    """Return the evaluation of scored rows.

    Args:
        rows: what `score_rows` returned.
        writer: engine that generated the summaries.
        test_fingerprint: fingerprint of the test split.
        generation: settings of the generation.
        highlights: settings of the extraction and the checks.
        settings: number of resamples.
        seed: seed of the resampling, which makes the intervals reproducible.
    """
    table = _numbers(rows)

    def mean_of(values: ArrayLike) -> Interval:
        return mean_interval(values, settings.resamples, seed)

    def over(system: str, baseline: str) -> dict[str, Interval]:
        return {
            name: paired_difference(
                table[column(system, name)],
                table[column(baseline, name)],
                settings.resamples,
                seed,
            )
            for name in ROUGE_TYPES
        }

    systems = {
        system: SystemScores(
            rouge={name: mean_of(table[column(system, name)]) for name in ROUGE_TYPES},
            over_lead3=over(system, "lead3"),
            over_extractive=over(system, "extractive"),
            words=float(table[column(system, "words")].mean()),
            compression=_finite_mean(table[column(system, "compression")]),
            novel_bigrams=_finite_mean(table[column(system, "novel_bigrams")]),
            repeated_trigrams=_finite_mean(table[column(system, "repeated_trigrams")]),
            faithfulness=ratio_interval(
                table[column(system, "supported_facts")],
                table[column(system, "facts")],
                settings.resamples,
                seed,
            ),
            fact_recall=ratio_interval(
                table[column(system, "recalled_facts")],
                table["reference_facts"],
                settings.resamples,
                seed,
            ),
        )
        for system in present_systems(rows.column_names)
    }
    return Evaluation(
        rows=len(rows),
        writer=writer,
        test_fingerprint=test_fingerprint,
        words=division_into_words(rows["reference"]),
        not_english=len(rows) - sum(rows["english"]),
        seed=seed,
        resamples=settings.resamples,
        generation=generation,
        highlights=highlights,
        systems=systems,
        sources=_compare_sources(table, mean_of),
        slices=_slices(rows, table),
        generated_tokens=float(table["generated_tokens"].mean()),
        cut_off=float(table["cut_off"].mean()),
        empty=float(np.mean([not text for text in rows["abstractive"]])),
        confidence=float(table["confidence"].mean()),
        doubted=float(np.mean([bool(reason) for reason in rows["doubt"]])),
        calibration=_calibration(rows),
    )


def _calibration(rows: datasets.Dataset) -> list[CalibrationBin]:
    """Return how often sentences with about the same score are among the oracle's."""
    scores, chosen = [], []
    for of_article, oracle in zip(rows["sentence_scores"], rows["oracle_chosen"], strict=True):
        scores += of_article
        chosen += [float(index in set(oracle)) for index in range(len(of_article))]
    return calibration_bins(scores, chosen)


def _numbers(rows: datasets.Dataset) -> dict[str, NDArray[np.float64]]:
    """Return the numeric and Boolean columns; reading all at once is faster than one by one."""
    table: pyarrow.Table = rows.with_format("arrow")[:]
    kinds = pyarrow.types
    return {
        field.name: table[field.name].to_numpy()
        for field in table.schema
        if kinds.is_floating(field.type)
        or kinds.is_integer(field.type)
        or kinds.is_boolean(field.type)
    }


def _finite_mean(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def _share(parts: NDArray[np.float64], wholes: NDArray[np.float64]) -> float:
    return float(parts.sum() / wholes.sum()) if wholes.sum() else float("nan")


def _compare_sources(
    table: dict[str, NDArray[np.float64]], mean_of: Callable[[ArrayLike], Interval]
) -> SourceComparison:
    longer = ~table["fits"].astype(bool)
    first, selected = (table[recall_column(name)][longer] for name in ("first", "selected"))
    return SourceComparison(
        recall_first=_finite_mean(first),
        recall_selected=_finite_mean(selected),
        recall_difference=mean_of(selected - first),
        rows=int(longer.sum()),
        difference={
            name: mean_of(
                table[column("abstractive_selected", name)][longer]
                - table[column("abstractive_first", name)][longer]
            )
            for name in ROUGE_TYPES
        },
    )


def _slices(rows: datasets.Dataset, table: dict[str, NDArray[np.float64]]) -> list[Slice]:
    fits = table["fits"].astype(bool)
    place = np.array(
        [
            np.mean(chosen) / max(1, len(scores) - 1) if chosen else np.nan
            for chosen, scores in zip(rows["oracle_chosen"], rows["sentence_scores"], strict=True)
        ]
    )
    parts = {
        "article fits the source": fits,
        "article longer than the source": ~fits,
        "oracle in the first third": place < 1 / 3,
        "oracle in the middle": (place >= 1 / 3) & (place < 2 / 3),
        "oracle in the last third": place >= 2 / 3,
    }
    groups = np.array([group or "" for group in rows["group"]])
    parts |= {group: groups == group for group in sorted(set(groups)) if group}
    systems = ("served", "abstractive", "extractive", "lead3", "oracle")
    return [
        Slice(
            name=name,
            rows=int(part.sum()),
            rouge_lsum={s: float(table[column(s, "rougeLsum")][part].mean()) for s in systems},
            faithfulness=_share(
                table[column("abstractive", "supported_facts")][part],
                table[column("abstractive", "facts")][part],
            ),
            fact_recall=_share(
                table[column("abstractive", "recalled_facts")][part],
                table["reference_facts"][part],
            ),
        )
        for name, part in parts.items()
        if part.any()
    ]
