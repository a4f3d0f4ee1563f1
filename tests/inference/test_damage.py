"""Damage that shows in a generated text."""

import pytest

from highlighter.inference.damage import is_damaged

ARTICLE = [
    "The bridge at Orly closed on Monday after inspectors found cracks, the council said.",
    '"We had no choice," said Anna Berg, its leader. "The cracks are deep."',
    "iPhone owners got a warning (in French) at 5 a.m.",
    "Repairs cost £3.4 million and take 12 weeks, according to Berg's deputy, Tom O'Hare.",
    "Drivers must use the A6 motorway, which is free of charge until 14 June.",
    "“It's a disaster for my shop,” the baker's owner, Lucie Roux, told the newspaper 'Le Matin'.",
    "eBay and al-Jazeera offered help; the mayors of Orly, Rungis and Thiais refused.",
    'The film "The Bridge" was shot there in the \'90s.',
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
        "The bridge at Orly closed on Monday on Monday.",
        "The bridge at Orly closed. The bridge at Orly closed.",
        "The bridge at Orly Orly closed.",
        "The bridge at Orly closed, closed, closed, closed.",
        "The bridge at Orly closed on Monday. It closed on Monday. It closed on Monday.",
        "The council said the bridge closed, and the council said the bridge closed.",
        "It closed after inspectors found cracks. Drivers wait after inspectors found cracks in "
        "the bridge after inspectors found cracks.",
        "Repairs cost £3.4 million million.",
        "Repairs take 12 weeks. Repairs take 12 weeks, said Berg.",
        "Anna Berg, Anna Berg, said so.",
        '"We had no choice, said Anna Berg.',
        "“We had no choice, said Anna Berg.",
        "We had no choice,” said Anna Berg.",
        'The bridge closed " on Monday. "',
        'The council said: "',
        '" The bridge closed on Monday, the council said.',
        "The bridge at Orly (in France closed.",
        "The bridge at Orly in France) closed.",
        "The bridge [at Orly closed on Monday.",
        "”We had no choice“, said Anna Berg.",
        ")The bridge( closed on Monday.",
        'The bridge "" closed on Monday.',
        "The bridge () closed on Monday.",
        "‘We had no choice, said Anna Berg.",
        "and its leader said so.",
        "The bridge closed. It will stay",
        "The bridge closed on Monday. the council said.",
        "The bridge closed on Monday. Repairs cost",
        ", the council said.",
        "The bridge closed on Monday, .",
        "The bridge closed on Monday,. Repairs cost £3.4 million.",
        "The bridge closed on Monday. . Repairs cost £3.4 million.",
        "The bridge closed on Monday,, the council said.",
        ". The bridge closed on Monday.",
        "The bridge closed on Monday. The.",
        "The bridge closed on Monday. And.",
        "The bridge closed on Monday. Said the.",
        "The bridge closed on Monday and the.",
        "The bridge closed on Monday because of.",
        "The council said that the.",
        "The bridge closed on Monday. 's leader said so.",
        "The bridge closed on Monday. - ",
        "The bridge at Orly closed and",
        "The",
        ".",
        '"',
        "The bridge closed on Monday <extra_id_0> the council said.",
        "The bridge closed on Monday � the council said.",
        "A gunman killed several students at a high school in Texas, police believe.",
        "It closed on Monday. Scientists discovered another galaxy with powerful telescopes.",
        "Manchester United beat Arsenal after penalties in the final of their tournament.",
        "The bridge of the city of Orly in France closed. Drivers left the city of Orly in France.",
    ],
)
def test_damaged(summary: str) -> None:
    assert is_damaged(summary, ARTICLE, cut_off=False)


@pytest.mark.parametrize(
    "summary",
    [
        "",
        "The bridge at Orly closed on Monday, the council said.",
        '"We had no choice," said Anna Berg. "It closed."',
        "“We had no choice,” said Anna Berg.",
        "‘We had no choice,’ said Anna Berg.",
        "'We had no choice,' said Anna Berg.",
        '"We had no choice": Orly bridge closed',
        "'No choice': Orly bridge closed",
        "iPhone owners got a warning (in French).",
        "Orly bridge closed",
        "Orly bridge closed. It will stay closed, its leader said!",
        "Orly bridge closed for 12 weeks\nRepairs cost £3.4 million\nDrivers must use the A6",
        "Orly bridge closed for 12 weeks .\nRepairs cost £3.4 million .\nDrivers must use the A6 .",
        'Orly bridge closed for 12 weeks.\nAnna Berg: "We had no choice"',
        'Orly bridge closed for 12 weeks .\nBaker calls it "a disaster"',
        "Orly bridge closed for 12 weeks .\nal-Jazeera offered help .",
        "eBay offered help. The mayors refused.",
        "al-Jazeera and eBay offered help.",
        "It closed. £3 million are lacking. 12 people left. It's closed.",
        "The council closed it. The council said why.",
        "The council said so, said Berg.",
        "Why did the bridge close? Inspectors found cracks.",
        "What now? Drivers must use the A6!",
        "The bridge closed on Monday ... and may never open again.",
        "The bridge closed on Monday… Drivers wait.",
        '"The cracks are deep..." Berg said.',
        "Berg: “The owner told me ‘it's a disaster’ on Monday.”",
        "Berg said: \"The owner told me 'it is a disaster' on Monday.\"",
        "Tom O'Hare's plan, the council's leaders' plan and the drivers' wishes differ.",
        "The film 'The Bridge' was shot there in the '90s.",
        'The film "The Bridge" was shot there.',
        "The bridge is closed (for 12 weeks), Berg said (in French).",
        "The bridge [at Orly] is closed.",
        "The bridge is closed: repairs, inspections, and a new road, the A6.",
        "Closed: the bridge at Orly; open: the A6 motorway.",
        "1. The bridge is closed. 2. Repairs cost £3.4 million. 3. Drivers use the A6.",
        "- The bridge is closed.\n- Repairs cost £3.4 million.\n- Drivers use the A6.",
        "• The bridge is closed\n• Repairs cost £3.4 million",
        "Orly, Rungis and Thiais refused to help.",
        "Mayors of Orly, of Rungis, and of Thiais refused.",
        "The bridge closed at 5 a.m. on Monday.",
        "The bridge closed at 5 a.m.",
        "Inspectors from the U.S. found cracks in the bridge.",
        "The bridge, which had cracks, closed -- for good, some say.",
        "The bridge – closed on Monday – will stay closed.",
        "The bridge - closed on Monday - will stay closed.",
        "It had had cracks before.",
        "She said that that was no choice.",
        "The bridge is very, very old.",
        "The bridge is 6' wide and 5'8\" high.",
        'Berg, 52, said "no".',
        'Berg, 52, said "no."',
        'Berg asked, "Why now?"',
        'Berg asked: "Why now?".',
        "Orly's bridge? Closed. The A6? Free.",
        "NEW: The bridge at Orly is closed.",
        "BRIDGE AT ORLY CLOSED",
        "BREAKING: Bridge at Orly Closed, Council Says",
        "Council says bridge closed; 'no choice,' leader says",
        "Drivers must use the A6 until 14 June.",
        "12 weeks of repairs begin at Orly.",
        "£3.4 million: that is the price of repairs.",
        "@OrlyCouncil tweeted #bridge was closed.",
        "The bridge closed on Monday. (It has cracks.)",
        "The bridge closed. So did the bakery, its owner told 'Le Matin'.",
        "It is closed, Berg said, and it will stay closed, O'Hare said.",
        "奥利的桥关闭了。市议会说。",
        "It will and it will and it will stay closed.",
    ],
)
def test_undamaged(summary: str) -> None:
    assert not is_damaged(summary, ARTICLE, cut_off=False)


@pytest.mark.parametrize(
    "summary",
    [
        "«Nous n'avions pas le choix», said Anna Berg.",
        "„Wir hatten keine Wahl“, said Anna Berg.",
        "»Keine Wahl«, said Anna Berg.",
        "奥利的桥星期一关闭了，市议会说，检查员发现裂缝，修理费用为三百万，需要十二周，司机必须使用高速公路。",
        "पुल सोमवार को बंद हो गया।",
        "Мост в Орли закрыли в понедельник, сообщил совет.",
        "Die Bewohner haben den ganzen Winter auf das neue Boot gewartet, und es fängt jetzt an.",
        "»Keine Wahl«, sagte „Le Matin“ am Montag.",
    ],
)
def test_undamaged_in_other_languages(summary: str) -> None:
    assert not is_damaged(summary, [summary], cut_off=False)


def test_the_articles_own_beginnings_and_repetitions_are_no_damage() -> None:
    summary = ARTICLE[-1]
    assert not is_damaged(summary, ARTICLE, cut_off=False)
    assert is_damaged(summary, ARTICLE[:-1], cut_off=False)
    assert not is_damaged("van Gogh left Orly.", ["van Gogh lived there."], cut_off=False)


def test_a_text_that_was_cut_off_may_be_open_but_not_repeat() -> None:
    assert not is_damaged('It closed. "We had no', ARTICLE, cut_off=True)
    assert is_damaged("It closed, the council said, the council said", ARTICLE, cut_off=True)
