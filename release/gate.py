"""The gate: whether a new version becomes the champion."""

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import datasets
from pydantic import BaseModel, ConfigDict, Field, model_validator

from highlighter.evaluation.record import Evaluation, column, teacher_column
from highlighter.metrics.statistics import Interval, paired_difference
from highlighter.settings import (
    Division,
    GateSettings,
    Metric,
    System,
)

Alias = Literal["champion", "challenger"]
BY_HAND = "to promote it anyway: `python -m release promote VERSION`"


class Measured(BaseModel):
    """What was measured of a version; a field is None if it was not measured or not stored.

    `scores` holds one score per test row, in percent, in the order of `ids`. `lead3` is the mean of
    the same metric of the lead-3 baseline on the same rows. `faithfulness` is a share from 0 to 1.
    `words` says how ROUGE divided the texts into words; versions before this field used
    `rouge_score`.
    """

    # NaN is stored as a string: JSON has no NaN, and null would mean "not measured".
    model_config = ConfigDict(ser_json_inf_nan="strings")

    system: System | None = None
    metric: Metric | None = None
    test_fingerprint: str | None = None
    words: Division = "rouge_score"
    ids: list[str] = []
    scores: list[float] | None = None
    faithfulness: float | None = None
    lead3: float | None = None

    @model_validator(mode="after")
    def _score_each_row(self) -> "Measured":
        if self.scores is not None and len(self.scores) != len(self.ids):
            raise ValueError(f"{len(self.scores)} scores for {len(self.ids)} rows")
        return self

    @property
    def score(self) -> float | None:
        """Mean of the scores, or None unless every row has one."""
        if not self.scores or not all(map(math.isfinite, self.scores)):
            return None
        return math.fsum(self.scores) / len(self.scores)


class CurrentChampion(BaseModel):
    """The champion that a new version is compared with.

    `is_teacher` says whether the new version is its student.
    """

    version: str
    measured: Measured
    is_teacher: bool = False


class TeacherResult(BaseModel):
    """The teacher of a student, measured on the student's test rows."""

    name: str = Field(description="models:/NAME/VERSION, or a checkpoint folder")
    scores: list[float] = Field(description="one score per test row, in percent")
    speedup: Interval = Field(description="teacher's seconds per article / student's")


class GateDecision(BaseModel):
    """The alias of a version, and the result of every check in words, passed checks first."""

    alias: Alias
    reasons: list[str]
    champion_version: str | None = Field(None, description="the champion it was compared with")
    difference: Interval | None = Field(None, description="new - champion, in points of the metric")
    to_teacher: Interval | None = Field(
        None, description="student - teacher, in points of the metric"
    )


class _Check(NamedTuple):
    passed: bool
    reason: str


def decide(
    new: Measured,
    champion: CurrentChampion | None,
    settings: GateSettings,
    resamples: int,
    seed: int,
    *,
    teacher: TeacherResult | None = None,
) -> GateDecision:
    """Decide whether a new version becomes the champion or only the challenger.

    It becomes the champion if it was measured, reaches every minimum, and is not significantly
    worse than the champion: a difference is significant if its 95 % interval excludes 0. If the
    champion is a student's teacher, the student may lose `maximum_loss_to_teacher` points instead.
    With any other champion it is compared like other versions, so that losses do not add up over
    generations of students.

    Args:
        new: scores of the new version.
        champion: the current champion, or None if there is none.
        settings: what the gate requires.
        resamples: number of resamples of the paired bootstrap.
        seed: seed of the paired bootstrap.
        teacher: the teacher's scores on the same rows if the new version is a student, else None.
    """
    checks = [_is_measured(new, settings), *_floors(new, settings)]
    difference = to_teacher = None
    if teacher is not None and checks[0].passed:
        to_teacher = paired_difference(new.scores or [], teacher.scores, resamples, seed)
        checks.extend(_of_student(to_teacher, teacher, settings))
    if champion is None:
        checks.append(_Check(True, "no champion to compare with: it is the first"))
    elif checks[0].passed and not (
        champion.is_teacher and settings.maximum_loss_to_teacher is not None
    ):
        obstacle = _incomparable(new, champion)
        if obstacle:
            checks.append(_Check(False, f"{obstacle}; {BY_HAND}"))
        elif new.scores and champion.measured.scores:
            difference = paired_difference(new.scores, champion.measured.scores, resamples, seed)
            checks.append(_not_worse(difference, champion.version))
    return GateDecision(
        alias="champion" if all(check.passed for check in checks) else "challenger",
        reasons=[check.reason for check in sorted(checks, key=lambda check: not check.passed)],
        champion_version=None if champion is None else champion.version,
        difference=difference,
        to_teacher=to_teacher,
    )


def _of_student(
    difference: Interval, teacher: TeacherResult, settings: GateSettings
) -> Iterator[_Check]:
    """Check that a student lost little quality to its teacher and is enough faster."""
    if settings.maximum_loss_to_teacher is not None:
        allowed = -settings.maximum_loss_to_teacher
        reason = (
            f"{difference.mean:+.2f} points to its teacher {teacher.name}, 95 % interval "
            f"{difference.low:+.2f} to {difference.high:+.2f}"
        )
        if difference.mean >= allowed:
            yield _Check(True, f"{reason}: a student may lose {-allowed:g} for its speed")
        else:
            yield _Check(False, f"{reason}, but a student may lose only {-allowed:g}")
    if settings.minimum_speedup is not None:
        yield _reaches(
            teacher.speedup.mean, settings.minimum_speedup, "speed over the teacher's", ".2f"
        )


def _is_measured(new: Measured, settings: GateSettings) -> _Check:
    required = f"{settings.metric} of the {settings.system} summaries"
    if (new.system, new.metric) != (settings.system, settings.metric) or new.score is None:
        return _Check(False, f"{required} was not measured on every test row")
    return _Check(True, f"{required} is {new.score:.2f} on {len(new.ids)} test rows")


def _floors(new: Measured, settings: GateSettings) -> list[_Check]:
    gain = None
    if new.score is not None and new.lead3 is not None:
        gain = new.score - new.lead3
    return [
        _reaches(value, floor, name, places)
        for value, floor, name, places in (
            (new.faithfulness, settings.minimum_faithfulness, "faithfulness", ".3f"),
            (gain, settings.minimum_gain_over_lead3, f"{settings.metric} over lead-3", "+.3f"),
        )
        if floor is not None
    ]


def _reaches(value: float | None, floor: float, name: str, places: str) -> _Check:
    if value is None or not math.isfinite(value):
        return _Check(False, f"{name} was not measured, and must be at least {floor:{places}}")
    # Rounding: 10.1 - 10.0 is slightly below 0.1.
    if value > floor or math.isclose(value, floor, abs_tol=1e-9):
        return _Check(True, f"{name} is {value:{places}}, at least {floor:{places}} as required")
    return _Check(False, f"{name} is {value:{places}}, but must be at least {floor:{places}}")


def _incomparable(new: Measured, champion: CurrentChampion) -> str | None:
    stored = champion.measured
    who = f"champion {champion.version}"
    if stored.score is None:
        return f"{who} has no stored score of every test row to compare with"
    if (stored.system, stored.metric) != (new.system, new.metric):
        measure = f"{stored.metric} of {stored.system} summaries"
        return f"{who} was evaluated with another measure, {measure}"
    if stored.test_fingerprint != new.test_fingerprint or new.test_fingerprint is None:
        return f"{who} was measured on other test rows"
    if stored.words != new.words:
        return f"{who} was scored with other words ({stored.words}; this version {new.words})"
    if stored.ids != new.ids:
        return f"{who} was measured on other test rows: their ids differ"
    return None


def _not_worse(difference: Interval, version: str) -> _Check:
    figures = (
        f"{difference.mean:+.2f} points to champion {version}, "
        f"95 % interval {difference.low:+.2f} to {difference.high:+.2f}"
    )
    if difference.high < 0:
        return _Check(False, f"significantly worse: {figures}")
    if difference.low > 0:
        return _Check(True, f"better: {figures}")
    return _Check(True, f"no significant difference, and a tie is promoted: {figures}")


def measured_for_gate(
    evaluation: Evaluation, rows: datasets.Dataset, gate: GateSettings
) -> Measured:
    """Return the scores that the gate compares: the configured metric of the configured system."""
    system = evaluation.systems[gate.system]
    return Measured(
        system=gate.system,
        metric=gate.metric,
        test_fingerprint=evaluation.test_fingerprint,
        words=evaluation.words,
        ids=rows["id"][:],
        scores=rows[column(gate.system, gate.metric)][:],
        faithfulness=system.faithfulness.mean,
        lead3=evaluation.systems["lead3"].rouge[gate.metric].mean,
    )


def teacher_for_gate(
    evaluation: Evaluation, rows: datasets.Dataset, gate: GateSettings
) -> TeacherResult | None:
    """Return a student's teacher and its scores; None for a model without a teacher."""
    tradeoff = evaluation.tradeoff
    if tradeoff is None:
        return None
    return TeacherResult(
        name=tradeoff.name,
        scores=rows[teacher_column(column(gate.system, gate.metric))][:],
        speedup=tradeoff.speed.ratio,
    )
