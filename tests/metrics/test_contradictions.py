"""Statements that contradict an article though their names and numbers are true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highlighter.metrics.contradictions import find_contradictions

ARTICLE = [
    "The ferry company reported a sharp decline in passengers on Monday.",
    "Its director ordered staff to remove an unnamed chat program from their personal phones.",
    "The harbor police found no evidence of smuggling aboard the ferry.",
    "Captain Ann Holt and her brother were sentenced to 30 days in prison by a local judge.",
    "Divers peered into the distant wreck and raised the bronze bell after 12 hours of work.",
    "The council has not approved the new timetable, members said.",
    "The mayor said the crew did not get the balance right.",
]


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        # opposites
        ("The ferry company reported a sharp increase in passengers.", ["increase"]),
        ("The ferry company announced a sharp rise in its passengers.", ["rise"]),
        ("The director ordered staff to install an unnamed chat program.", ["install"]),
        ("Staff must remove a named chat program from personal phones.", ["named"]),
        ("Divers peered into the nearby wreck of the ferry.", ["nearby"]),
        # other things of a kind
        ("Captain Ann Holt and her sister were sentenced by a judge.", ["sister"]),
        ("Divers raised the silver bell after hours of work.", ["silver"]),
        ("Staff must remove an unnamed chat program from their personal laptops.", ["laptops"]),
        # negations
        ("The ferry company has not reported a sharp decline in passengers.", ["reported"]),
        ("The director never ordered staff to remove a chat program.", ["ordered"]),
        ("Divers didn’t raise the bronze bell of the wreck.", ["raise"]),
        ("The council has approved the new timetable, members said.", ["approved"]),
        # units
        ("Captain Ann Holt was sentenced to 30 years in prison.", ["30 year"]),
        ("Captain Ann Holt was sentenced to thirty weeks in prison.", ["30 week"]),
        ("The bell came up after 12 days.", ["12 day"]),
    ],
)
def test_contradictions(summary: str, expected: list[str]) -> None:
    assert find_contradictions(summary, ARTICLE) == expected


@pytest.mark.parametrize(
    "summary",
    [
        *ARTICLE,
        "Passengers of the ferry company decline sharply.",
        "The ferry company reported a drop in passengers.",
        "Staff were told to delete an unidentified chat program from their phones.",
        "Staff must not keep an unnamed chat program on their personal phones.",
        "The police have not found any evidence of smuggling.",
        "Police found nothing to suggest smuggling.",
        "The council has yet to approve the new timetable.",
        "The new timetable is not approved.",
        "Not only Captain Ann Holt was sentenced, but also her brother.",
        "No one expected that the ferry company reported such a decline.",
        "Holt got 30 days. It took divers twelve hours.",
        "Holt got a 30-day sentence after a 12-hour dive.",
        "The mayor is 30.",
        "They have an increase of something else.",
        "The crew got the balance wrong, the mayor said.",
        "",
    ],
)
def test_no_contradictions(summary: str) -> None:
    assert find_contradictions(summary, ARTICLE) == []


@pytest.mark.parametrize(
    ("summary", "article"),
    [
        ("She is 40 years old.", "Ann Holt, 40, was held for 40 days."),
        ("It was in 2013, months before.", "In 2013 weeks passed."),
        ("The second seed won on day 2.", "In her 2nd year, Holt won 2 second prizes."),
        ("They walked 12 kilometres.", "They walked 12 km in 12 hours."),
        ("The school outlaws smart watches in class.", "There are no smart watches in class."),
        ("Der Vorstand hat den Plan nicht gebilligt.", "Der Vorstand hat den Plan gebilligt."),
    ],
)
def test_what_one_sentence_does_not_contradict(summary: str, article: str) -> None:
    assert find_contradictions(summary, [article]) == []


_WORDS = (
    "not no never don't only yet the a of rise falls brother sister 30 days years miles open 2 "
    "named unnamed bell ferry council , . ? Ann's 1,000 \u00e9t\u00e9 \" named. ... n't"
)
_WORD = st.sampled_from(_WORDS.split())


@given(st.lists(st.lists(_WORD, max_size=12).map(" ".join), max_size=6))
def test_an_article_does_not_contradict_itself(sentences: list[str]) -> None:
    for sentence in sentences:
        assert find_contradictions(sentence, [*sentences, sentence]) == []
