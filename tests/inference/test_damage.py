"""Damage that shows in a generated text."""

import pytest

from highlighter.inference.damage import is_damaged

ARTICLE = [
    "The bridge at Orly closed on Monday, the council said.",
    '"We had no choice," said Anna Berg, its leader.',
    "iPhone owners got a warning (in French).",
    "It will and it will and it will stay closed.",
    "The Royal Society for the Protection of Birds thanked the Royal Society for the Protection of "
    "Birds of Jersey.",
]


@pytest.mark.parametrize(
    "summary",
    [
        'The bridge at Orly closed on Monday, the council said. " council said."',
        "The bridge at Orly closed on Monday, the council said. council said.",
        "The bridge at Orly closed on Monday, the council said. Council said.",
        "The bridge at Orly closed on Monday, the council said, the council said.",
        "The bridge at Orly closed. The bridge at Orly closed.",
        "The bridge at Orly Orly closed.",
        '"We had no choice, said Anna Berg.',
        "“We had no choice, said Anna Berg.",
        "We had no choice,” said Anna Berg.",
        'The bridge closed " on Monday. "',
        "The bridge at Orly (in France closed.",
        "The bridge closed. It will stay",
        "and its leader said so.",
        "The bridge of the city of Orly in France closed. Drivers left the city of Orly in France.",
    ],
)
def test_damaged(summary: str) -> None:
    assert is_damaged(summary, ARTICLE, cut_off=False)


@pytest.mark.parametrize(
    "summary",
    [
        "The bridge at Orly closed on Monday, the council said.",
        '"We had no choice," said Anna Berg. "It closed."',
        "“We had no choice,” said Anna Berg.",
        "iPhone owners got a warning (in French).",
        "Orly bridge closed",
        "Orly bridge closed. It will stay closed, its leader said!",
        "It will and it will stay closed.",
        "It closed. £3 million are lacking. 12 people left. It's closed.",
        "The council closed it. The council said why.",
        "奥利的桥关闭了。市议会说。",
        "",
    ],
)
def test_undamaged(summary: str) -> None:
    assert not is_damaged(summary, ARTICLE, cut_off=False)


def test_a_text_that_was_cut_off_may_be_open_but_not_repeat() -> None:
    assert not is_damaged('It closed. "We had no', ARTICLE, cut_off=True)
    assert is_damaged("It closed, the council said, the council said", ARTICLE, cut_off=True)
