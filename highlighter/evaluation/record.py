"""The evaluation as a record: means with intervals, differences, slices."""

import numpy as np
from pydantic import BaseModel

from highlighter.metrics.statistics import CalibrationBin, Interval, calibration_error
from highlighter.model.checkpoint import EvaluationSummary, MeasuredModel, Score
from highlighter.settings import (
    ROUGE_TYPES,
    Division,
    Engine,
    GenerationSettings,
    HighlightSettings,
)

# "served" is what the service answers: "abstractive", or "extractive" where a check failed.
# "abstractive" is one of the two after it: the one that `highlights.source` selects.
SYSTEMS = (
    "served",
    "abstractive",
    "abstractive_first",
    "abstractive_selected",
    "extractive",
    "lead3",
    "random3",
    "oracle",
)

# Per row and system: ROUGE F1, words, and measures of the text itself (NaN where undefined).
MEASURES = (
    *ROUGE_TYPES,
    "words",
    "compression",
    "novel_bigrams",
    "repeated_trigrams",
    "supported_facts",
    "facts",
    "recalled_facts",
)


def column(system: str, measure: str) -> str:
    """Return the name of a measure's column in the scored rows."""
    return f"{system}_{measure}"


def source_column(source: str) -> str:
    """Return the name of the column with a decoder source's text, before rows are scored."""
    return f"source_{source}"


def recall_column(source: str) -> str:
    """Return the name of the column with the percentage of the reference's bigrams in a source.

    It is an upper bound of what any decoder can copy from that source.
    """
    return f"recall_{source}"


COMPARED = ("served", "abstractive", "extractive")


class Contender(BaseModel):
    """A model's size, its beams, and its means on the test rows, by system."""

    encoder_layers: int
    decoder_layers: int
    parameters: int
    num_beams: int
    rouge: dict[str, dict[str, float]]
    faithfulness: dict[str, float]
    fact_recall: dict[str, float]


class Speed(BaseModel):
    """Median seconds per article of both models, and the ratio of the teacher's total seconds to
    the student's. For its interval, both times of an article are resampled together.
    """

    articles: int
    device: str
    threads: int
    teacher: float
    student: float
    ratio: Interval


class Tradeoff(BaseModel):
    """A student and its teacher on the same test rows; `difference` is student - teacher."""

    name: str
    teacher: Contender
    student: Contender
    difference: dict[str, dict[str, Interval]]
    speed: Speed

    def metrics(self) -> dict[str, float]:
        """Return the measures to compare students by, as `distillation/<measure>`."""
        flat = {
            f"distillation/{system}/rougeLsum_difference": of_type["rougeLsum"].mean
            for system, of_type in self.difference.items()
        }
        return flat | {
            "distillation/speedup": self.speed.ratio.mean,
            "distillation/teacher_seconds": self.speed.teacher,
            "distillation/student_seconds": self.speed.student,
            "distillation/parameters_ratio": self.student.parameters / self.teacher.parameters,
        }


def teacher_column(name: str) -> str:
    """Return the name of the column with the teacher's value."""
    return f"teacher_{name}"


class SystemScores(BaseModel):
    """One system on all test rows. ROUGE F1 in percent; shares in 0..1.

    `over_lead3` and `over_extractive` are the paired differences of each ROUGE type to LEAD-3 and
    to the sentences that the salience head chooses. `faithfulness` is the share of the summaries'
    facts that appear in the articles; `fact_recall` is the share of the references' facts that the
    summaries state.
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
    """ROUGE-Lsum of some systems on a part of the rows, and faithfulness of "abstractive"."""

    name: str
    rows: int
    rouge_lsum: dict[str, float]
    faithfulness: float
    fact_recall: float


class SourceComparison(BaseModel):
    """The source "selected" compared with "first", on articles longer than one window.

    `difference` is selected - first, in points of each ROUGE type; `recall_*` are percentages of
    the reference's bigrams that the sources contain.
    """

    rows: int
    difference: dict[str, Interval]
    recall_first: float
    recall_selected: float
    recall_difference: Interval


class EntailmentScores(BaseModel):
    """Mean entailment of some systems' summaries, in 0..1, and the classifier that judged."""

    model: str
    revision: str
    rows: int
    systems: dict[str, Interval]


class Evaluation(BaseModel):
    """What was measured, on which rows, and how.

    `writer` is the engine, its type and device. `doubted`, `cut_off` and `empty` are shares in 0..1
    of the generated summaries: those that failed a check, reached the token limit, or are empty.
    `words` says how ROUGE divides texts into words. `not_english` is the number of articles whose
    summaries' facts are not checked. `calibration` compares the sentences' scores with the share of
    them that the oracle chose.
    """

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
    calibration: list[CalibrationBin] = []
    words: Division = "rouge_score"
    not_english: int = 0
    tradeoff: Tradeoff | None = None
    entailment: EntailmentScores | None = None

    def metrics(self) -> dict[str, float]:
        """Return the measures to compare runs by, as `test/<system>/<measure>`.

        The complete record is `evaluation.json`. Undefined measures are left out.
        """
        flat: dict[str, float] = {}
        for system in (*COMPARED, "lead3", "oracle"):
            for name in ("rouge1", "rouge2", "rougeLsum"):
                flat[f"test/{system}/{name}"] = self.systems[system].rouge[name].mean
        for system in COMPARED:
            scores = self.systems[system]
            flat[f"test/{system}/faithfulness"] = scores.faithfulness.mean
            flat[f"test/{system}/fact_recall"] = scores.fact_recall.mean
            flat[f"test/{system}/words"] = scores.words
        flat["test/extractive/calibration_error"] = calibration_error(self.calibration)
        for measure in ("confidence", "doubted", "cut_off", "empty"):
            flat[f"test/abstractive/{measure}"] = getattr(self, measure)
        if self.entailment is not None:
            flat |= {f"test/{s}/entailment": i.mean for s, i in self.entailment.systems.items()}
        if self.tradeoff is not None:
            flat |= self.tradeoff.metrics()
        return {name: value for name, value in flat.items() if np.isfinite(value)}

    def card(self, parameters: int, engine: Engine) -> MeasuredModel:
        """Return the model's card for the service, without undefined measures."""
        scores = [
            _score(system, name, scores.rouge[name])
            for system, scores in self.systems.items()
            for name in ROUGE_TYPES
        ]
        facts = [_score(s, "faithfulness", v.faithfulness) for s, v in self.systems.items()]
        return MeasuredModel(
            parameters=parameters,
            engine=engine,
            evaluation=EvaluationSummary(
                rows=self.rows,
                words=self.words,
                test_fingerprint=self.test_fingerprint,
                scores=scores,
                faithfulness=[score for score in facts if np.isfinite(score.value)],
            ),
        )


def _score(system: str, metric: str, interval: Interval) -> Score:
    return Score(
        system=system, metric=metric, value=interval.mean, low=interval.low, high=interval.high
    )
