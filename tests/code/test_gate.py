import math

import pytest

from highlighter.gate import Candidate, decide

ROWS = "rows-a"


def version(number: str, score: float | None, rows: str | None = ROWS) -> Candidate:
    return Candidate(version=number, score=score, test_fingerprint=rows)


@pytest.mark.parametrize(
    ("new", "champion", "alias", "reason"),
    [
        (version("1", 20.0), None, "champion", "first version"),
        (version("1", None), None, "challenger", "not measured"),
        (version("1", math.nan), None, "challenger", "not measured"),
        (version("2", 21.0), version("1", 20.0), "champion", "better"),
        (version("2", 20.0), version("1", 20.0), "challenger", "not better"),
        (version("2", 19.0), version("1", 20.0), "challenger", "not better"),
        (version("2", 99.0, "rows-b"), version("1", 20.0), "challenger", "other test rows"),
        (version("2", 99.0), version("1", 20.0, None), "challenger", "other test rows"),
        (version("2", 99.0), version("1", None), "challenger", "no ROUGE-Lsum"),
        (version("2", 99.0), version("1", math.nan), "challenger", "no ROUGE-Lsum"),
        (version("2", math.nan), version("1", 20.0), "challenger", "not measured"),
    ],
)
def test_truth_table(new: Candidate, champion: Candidate | None, alias: str, reason: str) -> None:
    decision = decide(new, champion)
    assert decision.alias == alias
    assert reason in decision.reason
