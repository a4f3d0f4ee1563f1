import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        assert "".join(kept.split()) == "".join(article.split())


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
