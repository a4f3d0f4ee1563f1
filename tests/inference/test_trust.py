"""When a written summary is not given to a reader."""

import pytest

from highlighter.inference.trust import doubt
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.settings import TrustSettings

ARTICLE = ArticleFacts("Maren Holt leads the port of Ashford. Repairs cost £1.4 million on 3 May.")

SALIENT = "Holt, in Ashford since May, leads the port."


@pytest.mark.parametrize(
    ("summary", "confidence", "settings", "expected"),
    [
        ("Maren Holt.", 0.9, {"minimum_coverage": 0.25}, "misses_salient"),
        ("Holt leads the port.", 0.9, {"minimum_coverage": 0.5}, None),
        (
            "Holt leads.",
            0.1,
            {"minimum_coverage": 0.9, "minimum_confidence": 0.5},
            "low_confidence",
        ),
        ("Repairs at Ashford cost £1.4 million.", 0.9, {}, None),
        ("The port is repaired.", 0.9, {}, None),
        ("", 0.9, {}, "empty"),
        ("Repairs cost £1.5 million.", 0.9, {}, "unsupported_facts"),
        ("Maren Ashford leads the port.", 0.9, {}, "unsupported_facts"),
        ("It reopened on 4 May.", 0.9, {}, "unsupported_facts"),
        ("It reopened on 4 May.", 0.9, {"supported_facts_only": False}, None),
        ("The port is repaired.", 0.49, {"minimum_confidence": 0.5}, "low_confidence"),
        ("The port is repaired.", 0.5, {"minimum_confidence": 0.5}, None),
        ("It reopened on 4 May.", 0.1, {"minimum_confidence": 0.5}, "unsupported_facts"),
    ],
)
def test_doubt(
    summary: str, confidence: float, settings: dict[str, float], expected: str | None
) -> None:
    trust = TrustSettings(**settings)
    assert doubt(summary, confidence, ARTICLE, SALIENT, trust, cut_off=False) == expected


@pytest.mark.parametrize(
    ("summary", "confidence", "expected"),
    [
        ("Maren Holt.", 0.9, None),
        ("Maren Ashford.", 0.9, "unsupported_facts"),
        ("Maren Holt.", 0.1, "low_confidence"),
        ("", 0.9, "empty"),
    ],
)
def test_what_was_cut_off_need_not_say_all_that_matters(
    summary: str, confidence: float, expected: str | None
) -> None:
    trust = TrustSettings(minimum_coverage=0.9, minimum_confidence=0.5)
    assert doubt(summary, confidence, ARTICLE, SALIENT, trust, cut_off=True) == expected
