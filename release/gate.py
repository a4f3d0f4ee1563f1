"""The gate: whether a new version becomes the champion."""

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import datasets
from pydantic import BaseModel, ConfigDict, Field, model_validator

from highlighter.evaluation.record import Evaluation, column, teacher_column
from highlighter.metrics.statistics import Interval, paired_difference
from highlighter.settings import (
    GateSettings,
    Metric,
    System,
)

Alias = Literal["champion", "challenger"]
BY_HAND = "to promote it all the same: `python -m release promote VERSION`"


class Measured(BaseModel):
    """What the gate may know of a version. `scores` are one per test row, in percent.

    A field is None where nothing was measured, or nothing was stored. `lead3` is the mean of the
    same metric on the same rows; `faithfulness` a share.
    """

    # NaN as a string: plain JSON has none, and null would read as "not measured".
    model_config = ConfigDict(ser_json_inf_nan="strings")

    system: System | None = None
    metric: Metric | None = None
    test_fingerprint: str | None = None
    ids: list[str] = []
    scores: list[float] | None = None
    faithfulness: float | None = None
    lead3: float | None = None

    @model_validator(mode="after")
    def _score_each_row(self) -> "Measured":
        if self.scores is not None and len(self.scores) != len(self.ids):
            raise ValueError(f"{len(self.scores)} scores of {len(self.ids)} rows")
        return self

    @property
    def score(self) -> float | None:
        """The mean score, or None unless every row has one."""
        if not self.scores or not all(map(math.isfinite, self.scores)):
            return None
        return math.fsum(self.scores) / len(self.scores)


class Champion(BaseModel):
    """Today's champion; `is_teacher` if the new version is its student."""

    version: str
    measured: Measured
    is_teacher: bool = False


class Teacher(BaseModel):
    """What a student is made from and held to, measured on the student's own rows."""

    name: str = Field(description="models:/NAME/VERSION, or a folder")
    scores: list[float]
    speedup: Interval = Field(description="its seconds an article over the student's")


class GateDecision(BaseModel):
    """The alias a version gets, and every check in words, those it passed first."""

    alias: Alias
    reasons: list[str]
    champion_version: str | None = Field(None, description="the champion at the time")
    difference: Interval | None = Field(None, description="new - champion, in points of the metric")
    to_teacher: Interval | None = Field(None, description="the same, of a student - its teacher")


class _Check(NamedTuple):
    passed: bool
    reason: str


def decide(
    new: Measured,
    champion: Champion | None,
    settings: GateSettings,
    resamples: int,
    seed: int,
    *,
    teacher: Teacher | None = None,
) -> GateDecision:
    """Champion if measured, above every floor, and not significantly worse than the champion.

    Worse counts as significant where the whole 95 % interval of the paired difference is below 0.
    A student may lose to its teacher what the settings allow, but no more than others to a champion
    that is not its teacher: else each student could lose that much to the one before.
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


def _of_student(difference: Interval, teacher: Teacher, settings: GateSettings) -> Iterator[_Check]:
    """What only a student has to pass: little lost, and enough gained."""
    if settings.maximum_loss_to_teacher is not None:
        allowed = -settings.maximum_loss_to_teacher
        reason = (
            f"{difference.mean:+.2f} points to its teacher {teacher.name}, 95 % interval "
            f"{difference.low:+.2f} to {difference.high:+.2f}"
        )
        if difference.mean >= allowed:
            yield _Check(True, f"{reason}: a student may lose {-allowed:g} for its speed")
        else:
            yield _Check(False, f"{reason}, but a student may lose {-allowed:g} only")
    if settings.minimum_speedup is not None:
        yield _reaches(
            teacher.speedup.mean, settings.minimum_speedup, "speed over the teacher's", ".2f"
        )


def _is_measured(new: Measured, settings: GateSettings) -> _Check:
    wanted = f"{settings.metric} of the {settings.system} summaries"
    if (new.system, new.metric) != (settings.system, settings.metric) or new.score is None:
        return _Check(False, f"{wanted} was not measured on every test row")
    return _Check(True, f"{wanted} is {new.score:.2f} on {len(new.ids)} test rows")


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
    # 10.1 - 10.0 is a hair below 0.1, which no one means by a floor of 0.1.
    if value > floor or math.isclose(value, floor, abs_tol=1e-9):
        return _Check(True, f"{name} is {value:{places}}, at least {floor:{places}} as it must be")
    return _Check(False, f"{name} is {value:{places}}, but must be at least {floor:{places}}")


def _incomparable(new: Measured, champion: Champion) -> str | None:
    theirs = champion.measured
    who = f"champion {champion.version}"
    if theirs.score is None:
        return f"{who} has no stored score of every test row to compare with"
    if (theirs.system, theirs.metric) != (new.system, new.metric):
        return f"{who} was judged by another measure, {theirs.metric} of {theirs.system} summaries"
    if theirs.test_fingerprint != new.test_fingerprint or new.test_fingerprint is None:
        return f"{who} was measured on other test rows"
    if theirs.ids != new.ids:
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
