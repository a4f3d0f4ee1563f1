import math

import pytest
from pydantic import ValidationError

from highlighter.metrics.statistics import Interval
from highlighter.settings import GateSettings
from release.gate import CurrentChampion, GateDecision, Measured, TeacherResult, decide

ROWS = 40
NONE = GateSettings()
BASE = [20.0 + row % 7 for row in range(ROWS)]
# Row by row up and down by 3, and 0.05 lower on average: far within chance.
NOISY = [score - 0.05 + 3 * (-1) ** row for row, score in enumerate(BASE)]


def measured(scores: list[float] | None = BASE, **other: object) -> Measured:
    fields: dict[str, object] = {
        "system": "abstractive",
        "metric": "rougeLsum",
        "test_fingerprint": "rows-a",
        "ids": [f"id-{row}" for row in range(ROWS)],
        "scores": scores,
        "faithfulness": 0.9,
        "lead3": 22.0,
    }
    return Measured.model_validate(fields | other)


def shifted(points: float) -> list[float]:
    return [score + points + 0.1 * (-1) ** row for row, score in enumerate(BASE)]


def decide_with(
    new: Measured, champion: Measured | None = None, settings: GateSettings = NONE
) -> GateDecision:
    today = None if champion is None else CurrentChampion(version="7", measured=champion)
    return decide(new, today, settings, resamples=500, seed=13)


@pytest.mark.parametrize(
    ("new", "champion", "alias", "reason"),
    [
        (measured(), None, "champion", "it is the first"),
        (measured(None), None, "challenger", "not measured"),
        (measured([], ids=[]), None, "challenger", "not measured"),
        (measured([math.nan, *BASE[1:]]), None, "challenger", "not measured"),
        (measured(metric="rouge2"), None, "challenger", "rougeLsum of the abstractive"),
        (measured(system="extractive"), None, "challenger", "not measured"),
        (measured(shifted(+1)), measured(), "champion", "better: +1.00 points to champion 7"),
        (measured(), measured(), "champion", "a tie is promoted: +0.00"),
        (measured(NOISY), measured(), "champion", "a tie is promoted: -0.05"),
        (measured(shifted(-1)), measured(), "challenger", "significantly worse: -1.00"),
        (measured(None), measured(), "challenger", "not measured"),
        (measured([math.nan] * ROWS), measured(), "challenger", "not measured"),
        (measured(shifted(+9)), measured(None), "challenger", "no stored score"),
        (measured(shifted(+9)), Measured(), "challenger", "release promote"),
        (measured(shifted(+9)), measured([math.nan] * ROWS), "challenger", "no stored score"),
        (measured(shifted(+9)), measured(metric="rouge1"), "challenger", "another measure, rouge1"),
        (measured(test_fingerprint="rows-b"), measured(), "challenger", "other test rows"),
        (measured(words="all_scripts"), measured(), "challenger", "scored with other words"),
        (measured(test_fingerprint=None), measured(), "challenger", "other test rows"),
        (
            measured(test_fingerprint=None),
            measured(test_fingerprint=None),
            "challenger",
            "other test rows",
        ),
        (measured(ids=[f"x-{row}" for row in range(ROWS)]), measured(), "challenger", "ids differ"),
    ],
)
def test_truth_table(new: Measured, champion: Measured | None, alias: str, reason: str) -> None:
    decision = decide_with(new, champion)
    assert decision.alias == alias
    assert any(reason in given for given in decision.reasons), decision.reasons
    assert decision.champion_version == (None if champion is None else "7")


@pytest.mark.parametrize(
    ("floor", "new", "alias", "reason"),
    [
        ({"minimum_faithfulness": 0.9}, measured(), "champion", "faithfulness is 0.900, at least"),
        ({"minimum_faithfulness": 0.901}, measured(), "challenger", "but must be at least 0.901"),
        ({"minimum_faithfulness": 0.0}, measured(faithfulness=None), "challenger", "not measured"),
        (
            {"minimum_faithfulness": 0.0},
            measured(faithfulness=math.nan),
            "challenger",
            "faithfulness was not measured",
        ),
        # In floating point 10.1 - 10.0 is below 0.1.
        (
            {"minimum_gain_over_lead3": 0.1},
            measured([10.1] * ROWS, lead3=10.0),
            "champion",
            "rougeLsum over lead-3 is +0.100, at least +0.100",
        ),
        (
            {"minimum_gain_over_lead3": 0.1},
            measured([10.09] * ROWS, lead3=10.0),
            "challenger",
            "rougeLsum over lead-3 is +0.090, but must be at least +0.100",
        ),
        (
            {"minimum_gain_over_lead3": -2.0},
            measured([8.5] * ROWS, lead3=10.0),
            "champion",
            "is -1.500, at least -2.000",
        ),
        ({"minimum_gain_over_lead3": -9.0}, measured(lead3=None), "challenger", "not measured"),
        ({"minimum_gain_over_lead3": -9.0}, measured(lead3=math.nan), "challenger", "not measured"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_floors_hold_for_the_first_version_and_for_later_ones(
    floor: dict[str, float], new: Measured, alias: str, reason: str, first: bool
) -> None:
    decision = decide_with(new, None if first else new, GateSettings.model_validate(floor))
    assert decision.alias == alias
    assert any(reason in given for given in decision.reasons), decision.reasons


def test_every_check_is_told_those_it_failed_last() -> None:
    settings = GateSettings(minimum_faithfulness=0.95, minimum_gain_over_lead3=0.5)
    decision = decide_with(measured(shifted(+1)), measured(), settings)
    assert decision.alias == "challenger"
    assert [reason.split(" is")[0].split(":")[0] for reason in decision.reasons] == [
        "rougeLsum of the abstractive summaries",
        "rougeLsum over lead-3",
        "better",
        "faithfulness",
    ]
    assert decision.difference is not None
    assert decision.difference.low <= decision.difference.mean <= decision.difference.high


def test_a_decision_survives_its_record() -> None:
    for champion in (None, measured(), Measured()):
        decision = decide_with(measured(NOISY), champion)
        assert GateDecision.model_validate_json(decision.model_dump_json()) == decision


def test_scores_and_rows_must_match() -> None:
    with pytest.raises(ValidationError, match="2 scores for 1 rows"):
        Measured(ids=["a"], scores=[1.0, 2.0])


SPEED = Interval(mean=1.6, low=1.5, high=1.7)


def judge_student(
    new: Measured,
    teacher: list[float] = BASE,
    *,
    is_champion: bool = True,
    champion: Measured | None = None,
    **settings: float,
) -> GateDecision:
    today = CurrentChampion(
        version="7", measured=champion or measured(teacher), is_teacher=is_champion
    )
    return decide(
        new, today, GateSettings.model_validate(settings), resamples=500, seed=13,
        teacher=TeacherResult(name="models:/x/7", scores=teacher, speedup=SPEED),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("new", "settings", "alias", "reason"),
    [
        (shifted(-1), {}, "challenger", "significantly worse: -1.00 points to champion 7"),
        (shifted(-1), {"maximum_loss_to_teacher": 2}, "champion", "-1.00 points to its teacher"),
        (shifted(-1), {"maximum_loss_to_teacher": 2}, "champion", "may lose 2 for its speed"),
        (shifted(-2.2), {"maximum_loss_to_teacher": 2}, "challenger", "may lose only 2"),
        (BASE, {"maximum_loss_to_teacher": 0}, "champion", "+0.00 points to its teacher"),
        (shifted(+1), {"minimum_speedup": 1.6}, "champion", "speed over the teacher's is 1.60"),
        (shifted(+1), {"minimum_speedup": 1.61}, "challenger", "must be at least 1.61"),
        (None, {"maximum_loss_to_teacher": 2}, "challenger", "not measured"),
    ],
)
def test_a_student_may_lose_what_is_allowed_and_must_be_as_fast_as_required(
    new: list[float] | None, settings: dict[str, float], alias: str, reason: str
) -> None:
    decision = judge_student(measured(new), **settings)
    assert decision.alias == alias
    assert any(reason in given for given in decision.reasons), decision.reasons


def test_a_student_may_not_lose_to_a_champion_that_is_not_its_teacher() -> None:
    """Else a row of students could each lose that much to the one before."""
    settings = {"maximum_loss_to_teacher": 2.0}
    before = measured(shifted(-0.5))
    decision = judge_student(
        measured(shifted(-1.5)), is_champion=False, champion=before, **settings
    )
    assert decision.alias == "challenger"
    assert any("significantly worse: -1.00" in reason for reason in decision.reasons)
    assert decision.to_teacher is not None
    assert decision.to_teacher.mean == pytest.approx(-1.5)
    better = judge_student(measured(shifted(-0.2)), is_champion=False, champion=before, **settings)
    assert better.alias == "champion"


def test_a_student_on_other_test_rows_than_the_champions_is_held_to_its_teacher_alone() -> None:
    other = measured(test_fingerprint="rows-b")
    settings = {"maximum_loss_to_teacher": 2.0}
    assert judge_student(measured(shifted(-1)), champion=other, **settings).alias == "champion"
    again = judge_student(measured(shifted(-1)), champion=other, is_champion=False, **settings)
    assert again.alias == "challenger"
