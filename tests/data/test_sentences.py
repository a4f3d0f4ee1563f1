import re
import textwrap
import time

import pytest
import sentencex
from hypothesis import given, settings
from hypothesis import strategies as st

from highlighter.data.characters import EDGE, has_visible_text
from highlighter.data.sentences import sentence_texts, split_paragraphs, split_sentences


def paragraphs(article: str) -> list[str]:
    return [article[start:end] for start, end in split_paragraphs(article)]


@pytest.mark.parametrize(
    ("article", "expected"),
    [
        ("One.\n\nTwo.", ["One.", "Two."]),
        ("One.\nTwo.", ["One.", "Two."]),
        ("  One.  \r\n \r\n\r\n\tTwo.\n\n", ["One.", "Two."]),
        ("", []),
        (" \n\n \n", []),
        ("One line only", ["One line only"]),
        ("- first item\n- second item", ["- first item", "- second item"]),
    ],
)
def test_paragraphs(article: str, expected: list[str]) -> None:
    assert paragraphs(article) == expected


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    wrapped = (
        "The council said on Tuesday that the bridge over the\n"
        "river Calder will be closed to all traffic from the third\n"
        "of May.\n\nDrivers were not pleased."
    )
    assert paragraphs(wrapped) == [
        wrapped.split("\n\n", maxsplit=1)[0],
        "Drivers were not pleased.",
    ]
    assert len(split_sentences(wrapped)) == 2


def test_short_news_paragraphs_of_one_line_each_stay_apart() -> None:
    article = (
        "The bridge will be closed to all traffic in May.\n"
        "Drivers said they were not pleased.\n"
        "It was built in 1931."
    )
    assert len(paragraphs(article)) == 3


def test_abbreviations_and_quotes_do_not_end_a_sentence() -> None:
    article = (
        'Mr. Holt met the U.S. ambassador on Jan. 3. "It went well," he said. They left at 5 p.m.'
    )
    assert sentence_texts(article) == [
        "Mr. Holt met the U.S. ambassador on Jan. 3.",
        '"It went well," he said.',
        "They left at 5 p.m.",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "The script sets window.PWN to true.",
        "Joint South Korea-U.S. military drills began.",
        "Visit www.BBC.co.uk or LeanIn.Org today.",
    ],
)
def test_a_stop_inside_a_word_does_not_end_a_sentence(sentence: str) -> None:
    assert sentence_texts(f"{sentence} Then it ended.") == [sentence, "Then it ended."]


def test_a_sentence_end_needs_no_white_space_after_other_marks() -> None:
    assert sentence_texts("He left!He ran?") == ["He left!", "He ran?"]
    assert sentence_texts("日本語です。次の文です。") == ["日本語です。", "次の文です。"]


_TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("aB .!?\n\r\t\"'“”-*1,\u00a0\u2003\u2028é日😀\u0301")),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=300,
)


def _visible(text: str) -> str:
    """Return the text without what no reader sees, and without e-mail's quotation marks."""
    return re.sub(rf"{EDGE}|>", "", text)


@given(_TEXT)
def test_spans_are_ordered_disjoint_stripped_and_lose_no_word(article: str) -> None:
    for spans in (split_paragraphs(article), split_sentences(article)):
        end = 0
        for span in spans:
            assert end <= span.start < span.end <= len(article)
            text = article[span.start : span.end]
            assert text == text.strip() != ""
            end = span.end
        kept = "".join(article[start:end] for start, end in spans)
        assert _visible(kept) == _visible(article)


@given(_TEXT)
def test_a_sentence_lies_inside_one_paragraph(article: str) -> None:
    whole = split_paragraphs(article)
    for start, end in split_sentences(article):
        assert sum(p.start <= start and end <= p.end for p in whole) == 1


def test_fifty_thousand_characters_keep_their_offsets() -> None:
    unit = "The café’s owner said: “We’re open.” Nobody came — not one.\n\n"
    article = unit * (50_000 // len(unit))
    sentences = split_sentences(article)
    assert {article[start:end] for start, end in sentences[-4:]} <= set(sentence_texts(unit))


@pytest.mark.parametrize("repeated", ["‘", "`", "“a. ", "「a。", "«"])
def test_the_splitter_never_gets_text_that_takes_it_seconds(
    repeated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps all threads waiting meanwhile: 4 s for an article of opening quotation marks."""
    split, given = sentencex.get_sentence_boundaries, []

    def measured(language: str, text: str) -> object:
        given.append(text)
        return split(language, text)

    monkeypatch.setattr(sentencex, "get_sentence_boundaries", measured)
    article = (repeated * 100_000)[:100_000]
    assert sentence_texts(article) and "".join(given).startswith(article[:10_000])
    assert max(map(len, given)) <= 10_000

    given.clear()
    news = "“We waited,” said Ann Holt. The board paid £1.4 million, twice the estimate. " * 450
    assert len(sentence_texts(news)) == 900
    assert given == [news.strip()]  # quotations may go on across parts


def test_a_pasted_story_of_one_paragraph_per_line_keeps_its_headline_apart() -> None:
    lines = [
        "Storm shuts schools along the whole of the north coast",
        "Forty schools were shut on Monday after a storm, the council said.",
        "Parents were told by text message at six in the morning.",
        "The roads to Osdon and Calder stayed open all day long.",
        "Classes start again on Wednesday.",
    ]
    assert paragraphs("\n".join(lines) + "\n") == lines
    assert sentence_texts("\r\n".join(lines)) == lines


def test_a_caption_without_a_full_stop_is_a_paragraph() -> None:
    lines = [
        "The council voted 7-2 on Monday to sell the old library.",
        "Photo: Jane Quill for the Ashford Post and News",
        "The building has stood empty since the summer of 2019.",
        "Bids are due by the end of March.",
    ]
    assert paragraphs("\n".join(lines)) == lines


@pytest.mark.parametrize("width", [30, 45, 60, 72, 80, 100, 120])
def test_text_wrapped_at_any_width_is_joined_and_keeps_its_headline(width: int) -> None:
    story = (
        "The council said on Tuesday that the bridge over the river Calder will be closed to all "
        "traffic from the third of May, because of cracks that were found in two of its pillars. "
        "Repairs will cost 1.4 million pounds and take until the middle of December at least."
    )
    wrapped = textwrap.fill(story, width)
    second = textwrap.fill("Drivers were not pleased when they heard of it on the radio.", width)
    article = f"{wrapped}\n\n{second}"
    assert paragraphs(article) == [wrapped, second]
    assert len(sentence_texts(article)) == 3
    assert paragraphs(f"Bridge to close\n{wrapped}")[:1] == ["Bridge to close"]


@pytest.mark.parametrize(
    "lines",
    [
        ["apples and pears", "plums and cherries", "grapes and some more"],
        ["Name\tAge", "Jane Quill of Osdon and the harbor board\t54", "mary anne\t6"],
        ["| Team | Points |", "| Ashford United | 31 |", "| osdon | 7 |"],
        ["The plan has three parts, which the council will vote on", "- a new bridge", "- a ferry"],
        ["“We waited all winter for it.", "“Nobody told us anything.", "“Now it is here.”"],
    ],
)
def test_lines_of_lists_tables_and_quotations_stay_apart(lines: list[str]) -> None:
    assert paragraphs("\n".join(lines)) == lines


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\u2028", "\x85", "\f"])
def test_every_kind_of_line_break_ends_a_line(line_break: str) -> None:
    assert paragraphs(f"One.{line_break}{line_break}Two.{line_break}Three.") == [
        "One.",
        "Two.",
        "Three.",
    ]


def test_numbered_points_within_a_line_are_sentences() -> None:
    article = "1. Cut the bread. 2. Toast it well. 3) Add cheese. In 2019. 4 people came."
    assert sentence_texts(article)[:2] == ["1. Cut the bread.", "2. Toast it well."]
    assert sentence_texts("It cost 12. She paid.") == ["It cost 12.", "She paid."]


@pytest.mark.parametrize(
    "line",
    ["1. A new bridge.", "10. More buses.", "(3) A ferry.", "ii. A second plan.", "b. A ferry too."]
    + ["7) One more.", "a) A new bridge.", "1."],
)
def test_the_number_of_a_point_is_no_sentence(line: str) -> None:
    assert sentence_texts(f"The plan is this.\n{line}\nIt ends.")[1:-1] == [line]
    assert sentence_texts(line) == [line]


def test_quotation_marks_of_email_do_not_start_a_paragraph() -> None:
    article = "> The bridge is closed.\n>\n> It opens in May.\n\nThanks."
    assert sentence_texts(article) == ["The bridge is closed.", "It opens in May.", "Thanks."]


@pytest.mark.parametrize("article", ["\u200b\n\n\ufeff", "\u00ad", "\u2060 \u200e\n", "\u200d"])
def test_an_invisible_article_has_no_sentences(article: str) -> None:
    assert split_sentences(article) == split_paragraphs(article) == []


def test_soft_hyphens_stay_in_the_text_that_is_shown() -> None:
    article = "Ash\u00adford Coun\u00adcil voted.\u200b It was late.\ufeff"
    assert sentence_texts(article) == ["Ash\u00adford Coun\u00adcil voted.", "It was late."]


_UNITS = st.lists(
    st.sampled_from(
        ["A", "b ", ". ", ".", "\n", "\n\n", "\r", "\t", " ", '"', "“", "(", ")", "> ", ">", "- ",
         "1. ", "2) ", "Mr.", "U.S.", "\u00ad", "\u200b", "…", "?!", "By ", "PUBLISHED: ",
         "| ", "日本。",
         "é", "-- "]
    ),
    min_size=1,
    max_size=6,
).map("".join)  # fmt: skip


@given(_UNITS, _UNITS, st.integers(1, 3))
@settings(max_examples=settings.default.max_examples // 5)
def test_long_texts_are_split_in_a_moment(unit: str, other: str, times: int) -> None:
    article = (unit * times + other) * (10_000 // len(unit * times + other))
    start = time.process_time()
    split_sentences(article)
    assert time.process_time() - start < 3


@given(_TEXT)
def test_an_article_with_visible_text_has_a_sentence(article: str) -> None:
    assert split_sentences(article) or not has_visible_text(article)
