"""Whether a new version becomes the champion: a rule, and a record of why."""

import math
from typing import Literal

from pydantic import BaseModel

Alias = Literal["champion", "challenger"]


class Candidate(BaseModel):
    """What the gate may know of a version. `score` is ROUGE-Lsum in percent, if measured."""

    version: str
    score: float | None
    test_fingerprint: str | None


class GateDecision(BaseModel):
    """The alias a version gets, and the reason in a sentence."""

    alias: Alias
    reason: str


def decide(new: Candidate, champion: Candidate | None) -> GateDecision:
    """Champion if first, or better than today's champion on the same test rows."""
    if new.score is None or math.isnan(new.score):
        return GateDecision(alias="challenger", reason="its ROUGE-Lsum was not measured")
    if champion is None:
        return GateDecision(alias="champion", reason="it is the first version")
    if champion.score is None or math.isnan(champion.score):
        reason = f"champion {champion.version} has no ROUGE-Lsum to compare with"
        return GateDecision(alias="challenger", reason=reason)
    if new.test_fingerprint != champion.test_fingerprint:
        reason = f"champion {champion.version} was measured on other test rows"
        return GateDecision(alias="challenger", reason=reason)
    scores = (
        f"ROUGE-Lsum {new.score:.2f} against champion {champion.version}'s {champion.score:.2f}"
    )
    if new.score > champion.score:
        return GateDecision(alias="champion", reason=f"{scores}: better")
    return GateDecision(alias="challenger", reason=f"{scores}: not better")
