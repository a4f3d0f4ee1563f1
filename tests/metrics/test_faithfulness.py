import tracemalloc
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highlighter.data.sentences import sentence_texts
from highlighter.evaluation.systems import lead
from highlighter.metrics.faithfulness import ArticleFacts, extract_facts, is_english
from tests.conftest import Sample
from tests.test_growth import lines_run

_CLINTON = "Bill Clinton met Barack Obama. Clinton smiled."

# Each pair of rows with one article tells apart what is supported and what is not.
_CASES = [
    # numbers
    ("It has 1500 seats.", "It has 1,500 seats.", []),
    ("It has 1,500 seats.", "It has 11,500 seats.", ["1,500"]),
    ("There are 4 cats.", "There are 14 cats.", ["4"]),
    ("It fell by 1.5 points.", "It fell by 21.5 points.", ["1.5"]),
    ("It fell by 21 points.", "It fell by 21.5 points.", ["21"]),
    ("There are 3 cats.", "There are three cats.", []),
    ("There are three cats.", "There are 3 cats.", []),
    ("There are seven cats.", "There are seventeen cats.", ["seven"]),
    ("It holds twenty-one cats.", "It holds 21 cats.", []),
    ("It holds two hundred and five cats.", "It holds 205 cats.", []),
    ("It holds 200 cats.", "It holds two hundred and five cats.", ["200"]),
    ("It cost 4.2 million.", "It cost $4.2 million.", []),
    ("It cost $4.2m.", "It cost $4.2 million.", []),
    ("It cost $4.2 billion.", "It cost $4.2 million.", ["$4.2 billion"]),
    ("It cost $4.2.", "It cost $4.2 million.", ["$4.2"]),
    ("It cost 4,200,000 dollars.", "It cost $4.2 million.", []),
    ("It cost £4.2 million.", "It cost $4.2 million.", ["£4.2 million"]),
    ("It fell 5%.", "It fell 5 per cent.", []),
    ("It fell 5 percent.", "It killed 5 people.", ["5 percent"]),
    ("It killed 5 people.", "It fell 5 percent.", ["5"]),
    ("A 17-year-old fled.", "The boy, 17, fled.", []),
    ("A 17-year-old fled.", "An 18-year-old fled.", ["17"]),
    ("His 3rd goal.", "His third goal.", []),
    ("His 3rd goal.", "He has 3 goals.", ["3rd"]),
    ("It began at 9:30.", "It began at 9:30 p.m. on time.", []),
    ("It began at 9 a.m. on time.", "It began at 9 p.m. on time.", ["9 a.m."]),
    ("It began at 9:30.", "It began at 9:45, with 30 people.", ["9:30"]),
    ("They won 3-1.", "They won 3-1.", []),
    ("They won 3-1.", "They lost 1-3.", ["3-1"]),
    ("About 5-10 died.", "Between 5 and 10 died.", []),
    ("In the 1990s.", "In 1990.", ["1990s"]),
    ("One of them fled.", "They fled.", []),
    ("More than 2,000 fled.", "There were 2,034.", []),
    ("More than 2,000 fled.", "There were 1,990.", ["2,000"]),
    ("Nearly 500 fled.", "There were 497.", []),
    ("Nearly 500 fled.", "There were 503.", ["500"]),
    ("Fewer than 500 fled.", "There were 460.", []),
    ("About 500 fled.", "There were 510.", []),
    ("About 500 fled.", "There were 530.", ["500"]),
    ("Over 40% fled.", "It is 41.2 per cent.", []),
    ("Over 40% fled.", "It is 41.2 pounds.", ["40%"]),
    ("It cost $4.2 million.", "It cost $4,187,000.", []),
    ("It cost $4.2 million.", "It cost $4,287,000.", ["$4.2 million"]),
    ("It cost $4 million.", "It cost $4,187,000.", ["$4 million"]),
    # dates
    ("It opens on 14 June.", "It opens on June 14.", []),
    ("It opens on Jun. 14.", "It opens on June 14th.", []),
    ("It opens on the 14th of June.", "It opens on June 14, 2015.", []),
    ("It opens on June 15.", "It opens on June 14, with 15 cats.", ["June 15"]),
    ("It opens in June.", "It opens on June 14.", []),
    ("It opens on July 14.", "It opens on June 14.", ["July 14"]),
    ("It opens on Monday.", "It opens on Tuesday.", ["Monday"]),
    ("It opened in May.", "It may open.", ["May"]),
    ("So said Theresa May.", "It opens in May, said Theresa Smith.", ["Theresa May"]),
    # names
    ("He saw Ann.", "The Annual report.", ["Ann"]),
    ("He paid Bill.", "He paid the bill.", ["Bill"]),
    ("So said Obama.", "So said Barack Obama.", []),
    ("So said Barack Obama.", "So said Barack Hussein Obama.", []),
    ("So said Barack Hussein Obama.", "So said Barack Obama.", ["Barack Hussein Obama"]),
    ("So said Barack Clinton.", _CLINTON, ["Barack Clinton"]),
    ("So said Ann Smith.", "He met Ann. Smith left, Ann said.", ["Ann Smith"]),
    ("So said Ann Smith.", "There came Ann, Smith and Bob.", ["Ann Smith"]),
    ("There is Briton Andy Murray.", "A Briton won. So did Andy Murray.", []),
    ("So did President Barack Obama.", "So did Mr. Obama, Barack Obama.", []),
    ("So did French President Hollande.", "In French, Hollande spoke.", []),
    ("So did French President Hollande.", "In German, Hollande spoke.", ["French"]),
    ("Obama's plan failed.", "So did Obama.", []),
    ("Obama’s plan failed.", "The plan is Obama's.", []),
    ("It is O’Brien.", "It is O'Brien.", []),
    ("It is O'Brien.", "It is Brien.", ["O'Brien"]),
    ("It is José Peña.", "It is Jose Pena.", []),
    ("It is Jean-Claude.", "It is Jean Claude.", []),
    ("It is Jean-Claude.", "It is Jean, and Claude.", ["Jean-Claude"]),
    ("At the Bank of America.", "At the Bank of America.", []),
    ("At the Bank of America.", "At the Bank of England, in America.", ["Bank of America"]),
    ("Here is Angela de la Cruz.", "Angela de la Cruz is here.", []),
    ("He fought al-Qaeda there.", "He fought Al Qaeda there.", []),
    ("In the US, it rains.", "In the U.S. it rains.", []),
    ("In the US, it rains.", "It rains in the United States.", []),
    ("In the US, it rains.", "It rains on us.", ["US"]),
    ("At the NFL.", "At the National Football League.", []),
    ("So did J. K. Rowling.", "So did JK Rowling.", []),
    ("There is Dwayne Johnson.", 'There came Dwayne "The Rock" Johnson.', []),
    # places, their adjectives and people
    ("In the U.K., it rains.", "It rains in Britain.", []),
    ("In the U.K., it rains.", "It rains in the UK.", []),
    ("A Chinese mine fell in.", "A mine in China fell in.", []),
    ("A Chinese mine fell in.", "A mine in Chile fell in.", ["Chinese"]),
    ("So did two Iraqis.", "Two people fled Iraq.", []),
    ("The London Russian embassy is shut.", "The Russian embassy in London is shut.", []),
    ("So did the Argentine Lionel Messi.", "Lionel Messi left Argentina.", []),
    ("The US-Cuban talks ended.", "It is between Cuba and America.", []),
    ("So did the Iraqi PM.", "The prime minister of Iraq did so.", []),
    (
        "So did American Airlines.",
        "American troops flew with United Airlines.",
        ["American Airlines"],
    ),
    ("The U.S. Food & Drug Agency.", "The Food and Drug Agency of the U.S. said so.", []),
    (
        "The U.S. Food & Drug Agency.",
        "The Food and Health Agency of the U.S. said so.",
        ["U.S. Food & Drug Agency"],
    ),
    ("So did actor Tom Holt.", "So did Tom Holt.", []),
    # sentence starts and layout
    ("Shares fell.", "A share fell.", []),
    ("Families fled.", "A family fled.", []),
    ("Completion is near.", "It is nearly complete.", []),
    ("Remarkably, they fled.", "They fled.", []),
    ("Trapped in it, they fled.", "They fled.", []),
    ("Mohammed fled.", "They fled.", ["Mohammed"]),
    ("Kimberly fled.", "They fled.", ["Kimberly"]),
    ("NEW: He fled.", "He fled.", []),
    ("OBAMA: He fled.", "He fled.", ["OBAMA"]),
    ("The police fled.", "They fled.", []),
    ("Strikers fled.", "A striker fled.", []),
    ("Johnson fled.", "A striker fled.", ["Johnson"]),
    ('He said: "Strikers fled."', "A striker fled.", []),
    ("He left Rome\nHolt stayed.", "Holt stayed. He left Rome.", []),
    ("So did Barack Obama.", "So did Barack\nObama.", []),
    ("So did Barack Obama.", "So did Barack\n\nObama.", ["Barack Obama"]),
    ("Life is hard.", "(CNN)Life is hard.", []),
    ("It is hard, CNN says.", "(CNN)Life is hard.", []),
    ("OBAMA VISITS PARIS", "Obama visits Paris.", []),
    ("OBAMA VISITS ROME", "Obama visits Paris.", ["ROME"]),
    ("President Obama Visits Paris for Talks", "Obama visits Paris for talks.", []),
    ("President Obama Visits Rome for Talks", "Obama visits Paris for talks.", ["Rome"]),
    ("It was in the U.S. He left.", "He left the U.S. then.", []),
]


@pytest.mark.parametrize(("summary", "article", "expected"), _CASES)
def test_unsupported_facts(summary: str, article: str, expected: list[str]) -> None:
    assert [fact.text for fact in ArticleFacts(article).unsupported(summary)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("On May 3, Ann Holt paid $5m.", ["May 3", "Ann Holt", "$5m"]),
        ("Obama met Obama's aides, and Obama left.", ["Obama"]),
        ("It rained.", []),
        ("Mr. Holt and Dr Ann Marsh left.", ["Holt", "Ann Marsh"]),
        ("The Lord of the Rings", ["Lord of the Rings"]),
        ("He told Ann the White House is shut.", ["Ann", "White House"]),
        ("They won 2-1 in 2010.", ["2-1", "2010"]),
    ],
)
def test_facts_in_order_each_once(text: str, expected: list[str]) -> None:
    assert [fact.text for fact in extract_facts(text)] == expected


def test_counts_of_supported_and_of_all_facts() -> None:
    article = "Ann Holt paid 5 pounds on Monday."
    summary = "Ann Holt paid 6 pounds on Monday, Holt said on Friday."
    assert ArticleFacts(article).count(summary) == (3, 5)


@pytest.mark.parametrize("summary", ["", " \n", "it rained"])
def test_a_text_without_facts(summary: str) -> None:
    assert ArticleFacts("It rained in Rome.").count(summary) == (0, 0)


def test_repeating_a_true_fact_gains_nothing() -> None:
    facts = ArticleFacts("So said Obama.")
    assert facts.count("So said Obama, and Obama, and Obama of Rome.") == (1, 2)


def test_an_empty_article_supports_nothing() -> None:
    assert ArticleFacts("").count("So said Obama on Friday at 9.") == (0, 3)


_WORDS = (
    "the The of a in and said to U.S. US Obama Barack O'Brien Holt's de la President Mr. Jr. King "
    "May June Jan. Monday 14 14th 2015 3-1 $4 4.2 million hundred two twenty one five 9:30 p.m. "
    "5% per cent dollars 20mph 1990s . , : - -- ( ) \" ' \n \n\n “ ’ A. J. WHO Rome, Ann. café É"
)
_UNIT = "Ann Holt of Rome paid $4.2 million on June 14, Barack Hussein Obama said. "
_TEXT = st.one_of(
    st.lists(st.sampled_from(_WORDS.split(" ")), max_size=25).map(" ".join), st.text(max_size=60)
)


@given(_TEXT, _TEXT, _TEXT)
def test_a_text_is_faithful_to_itself_and_to_more_text_around_it(
    text: str, before: str, after: str
) -> None:
    for article in (text, f"{before}\n\n{text}\n\n{after}"):
        assert ArticleFacts(article).unsupported(text) == []


def test_an_article_of_fifty_thousand_characters() -> None:
    facts = ArticleFacts(_UNIT * (50_000 // len(_UNIT)))
    assert facts.count(_UNIT + "Ann Obama left.") == (4, 5)


def test_the_lead_is_faithful_and_other_articles_are_not(
    sample: Sample,
) -> None:
    rows = sample.rows
    articles = [ArticleFacts(row["article"]) for row in rows]
    totals = []
    for row, article in zip(rows, articles, strict=True):
        sentences = sentence_texts(row["article"])
        summary = "\n".join(sentences[index] for index in lead(sentences))
        supported, total = article.count(summary)
        assert supported == total, article.unsupported(summary)
        totals.append(total)
    # One article of the embedded corpus opens with a scene without names and numbers.
    assert totals.count(0) == {"cnn_dailymail": 0, "embedded": 1}[sample.corpus]

    def mean(highlights: list[str]) -> float:
        counts = [a.count(text) for a, text in zip(articles, highlights, strict=True)]
        shares = [supported / total for supported, total in counts if total]
        return sum(shares) / len(shares)

    own = [row["highlights"] for row in rows]
    assert mean(own) > 0.85  # 0.90: the rest are bylines and facts the article does not have
    assert mean(own[1:] + own[:1]) < 0.15  # 0.05


@pytest.mark.parametrize(
    "unit",
    [_UNIT, "a", "Aa ", "Aa of ", "A. ", "a.", "1 ", "1-2 ", "million ", "hundred ", "May 3 ",
     "Mr ", "'", "a\n", "\U0001f44d ", "e\u0301"],
)  # fmt: skip
def test_time_and_memory_are_linear_in_the_article(unit: str) -> None:
    small, large = (
        lines_run(partial(ArticleFacts, (unit * size)[:size])) for size in (2_000, 8_000)
    )
    assert large < 5 * small
    tracemalloc.start()
    try:
        ArticleFacts((unit * 20_000)[:20_000])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000 * 20_000


@pytest.mark.parametrize(
    "text",
    [
        "Die Fähre fährt wieder nach Köln, sagte der Hafen am Dienstag. Die Reparatur kostete eine "
        "Million Euro, und die Bewohner der Insel hatten den ganzen Winter gewartet.",
        "De veerboot vaart in mei weer naar het eiland, zei de haven op dinsdag. De reparatie was "
        "over tijd. Het was in de haven van Amsterdam te zien of er nog een boot was.",
        "Le ferry reprend la ligne en mai, a annoncé le port mardi. La réparation a coûté un "
        "million d'euros. Les habitants de l'île ont attendu tout l'hiver.",
        "Prom wraca na linię w maju, podał port we wtorek. Naprawa kosztowała milion euro. "
        "Mieszkańcy wyspy czekali całą zimę, a on to wie.",
        "Паром вернётся на линию третьего мая, сообщили власти порта во вторник.",
        "चुनाव आज शांति से हुए और मतदान सत्तर प्रतिशत रहा।",
        "轮渡将于五月三日恢复。港务局周二表示，维修费用为一百万元。",  # noqa: RUF001
    ],
)
def test_facts_are_those_of_english_articles_only(text: str) -> None:
    assert not is_english(text)
    assert ArticleFacts(text).unsupported("Angela Merkel paid 7 million dollars in March.") == []


def test_news_is_english(sample: Sample) -> None:
    assert all(is_english(row["article"]) for row in sample.rows)
    assert is_english("Leeds 2-1 Hull.")
    assert is_english("WASHINGTON: The president of Chile, Sebastián Piñera, met 习近平.")
