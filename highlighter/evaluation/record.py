"""The evaluation as a typed record: means with intervals, differences, slices."""

from collections.abc import Callable

import datasets
import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel

from highlighter.card import Judgement, MeasuredModel, Score
from highlighter.evaluation.columns import SYSTEMS, column, recall_column
from highlighter.evaluation.tradeoff import Tradeoff, teacher_column
from highlighter.gate import Measured, Teacher
from highlighter.metrics.rouge_types import ROUGE_TYPES
from highlighter.settings import (
    Engine,
    EvaluationSettings,
    GateSettings,
    GenerationSettings,
    HighlightSettings,
)
from highlighter.statistics import (
    Interval,
    mean_interval,
    paired_difference,
    ratio_interval,
)


class SystemScores(BaseModel):
    """One system on all test rows. ROUGE F1 in percent; shares in 0..1.

    `over_lead3` and `over_extractive` are the paired differences of each ROUGE type against LEAD-3
    and the salience head's own sentences on the same rows;
    `faithfulness` is the share of all its facts that stand in their articles, `fact_recall` the
    share of the references' facts that it states.
    """

    rouge: dict[str, Interval]
    over_lead3: dict[str, Interval]
    over_extractive: dict[str, Interval]
    words: float
    compression: float
    novel_bigrams: float
    repeated_trigrams: float
    faithfulness: Interval
    fact_recall: Interval


class Slice(BaseModel):
    """ROUGE-Lsum of some systems on a part of the rows, and how the written summaries' facts do."""

    name: str
    rows: int
    rouge_lsum: dict[str, float]
    faithfulness: float
    fact_recall: float


class SourceComparison(BaseModel):
    """The "selected" source minus the "first" on the rows that don't fit.

    By ROUGE type of the written summary, and in percent of the reference's bigrams that the source
    holds.
    """

    rows: int
    difference: dict[str, Interval]
    recall_first: float
    recall_selected: float
    recall_difference: Interval


class Evaluation(BaseModel):
    """What was measured, on which rows, and how; `writer` is what wrote the summaries."""

    rows: int
    writer: str
    test_fingerprint: str
    seed: int
    resamples: int
    generation: GenerationSettings
    highlights: HighlightSettings
    systems: dict[str, SystemScores]
    sources: SourceComparison
    slices: list[Slice]
    generated_tokens: float
    cut_off: float
    empty: float
    confidence: float
    doubted: float
    tradeoff: Tradeoff | None = None

    def metrics(self) -> dict[str, float]:
        """The evaluation as flat metrics, `test/<system>/<measure>`; undefined ones left out."""
        flat: dict[str, float] = {}
        for system, scores in self.systems.items():
            for name in ROUGE_TYPES:
                flat[f"test/{system}/{name}"] = scores.rouge[name].mean
            for name in ("words", "compression", "novel_bigrams", "repeated_trigrams"):
                flat[f"test/{system}/{name}"] = getattr(scores, name)
            flat[f"test/{system}/faithfulness"] = scores.faithfulness.mean
            flat[f"test/{system}/fact_recall"] = scores.fact_recall.mean
        for name in ("generated_tokens", "cut_off", "empty", "confidence", "doubted"):
            flat[f"test/abstractive/{name}"] = getattr(self, name)
        if self.tradeoff is not None:
            flat |= self.tradeoff.metrics()
        return {name: value for name, value in flat.items() if np.isfinite(value)}

    def card(self, parameters: int, engine: Engine) -> MeasuredModel:
        """What the service tells of it; undefined measures are left out."""
        scores = [
            _score(system, name, scores.rouge[name])
            for system, scores in self.systems.items()
            for name in ROUGE_TYPES
        ]
        facts = [_score(s, "faithfulness", v.faithfulness) for s, v in self.systems.items()]
        return MeasuredModel(
            parameters=parameters,
            engine=engine,
            evaluation=Judgement(
                rows=self.rows,
                test_fingerprint=self.test_fingerprint,
                scores=scores,
                faithfulness=[score for score in facts if np.isfinite(score.value)],
            ),
        )


def _score(system: str, metric: str, interval: Interval) -> Score:
    return Score(
        system=system, metric=metric, value=interval.mean, low=interval.low, high=interval.high
    )


def measured_for_gate(
    evaluation: Evaluation, rows: datasets.Dataset, gate: GateSettings
) -> Measured:
    """What the gate compares: the configured metric of the configured system, row by row."""
    system = evaluation.systems[gate.system]
    return Measured(
        system=gate.system,
        metric=gate.metric,
        test_fingerprint=evaluation.test_fingerprint,
        ids=rows["id"][:],
        scores=rows[column(gate.system, gate.metric)][:],
        faithfulness=system.faithfulness.mean,
        lead3=evaluation.systems["lead3"].rouge[gate.metric].mean,
    )


def teacher_for_gate(
    evaluation: Evaluation, rows: datasets.Dataset, gate: GateSettings
) -> Teacher | None:
    """What the gate holds a student to; None for a model that has no teacher."""
    tradeoff = evaluation.tradeoff
    if tradeoff is None:
        return None
    return Teacher(
        name=tradeoff.name,
        scores=rows[teacher_column(column(gate.system, gate.metric))][:],
        speedup=tradeoff.speed.ratio,
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
    """Means, intervals, differences and slices of scored rows; the same for the same seed."""
    table = {name: np.asarray(rows[name][:]) for name in rows.column_names if _numeric(rows, name)}

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
        for system in SYSTEMS
    }
    return Evaluation(
        rows=len(rows),
        writer=writer,
        test_fingerprint=test_fingerprint,
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
    )


def _numeric(rows: datasets.Dataset, name: str) -> bool:
    feature = rows.features[name]
    return isinstance(feature, datasets.Value) and feature.dtype != "string"


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
