"""The evaluation as a typed record: means with intervals, differences, slices."""

import datasets
import numpy as np
from pydantic import BaseModel

from highlighter.card import Judgement, MeasuredModel, Score
from highlighter.evaluation.columns import column
from highlighter.evaluation.tradeoff import Tradeoff, teacher_column
from highlighter.gate import Measured, Teacher
from highlighter.metrics.rouge_types import ROUGE_TYPES
from highlighter.settings import (
    Engine,
    GateSettings,
    GenerationSettings,
    HighlightSettings,
)
from highlighter.statistics import Interval


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
