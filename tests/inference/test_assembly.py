"""Choosing sentences and paragraphs by score, and checking a generated summary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highlighter.data.sentences import Span, split_paragraphs, split_sentences
from highlighter.inference.assembly import (
    best_sentences,
    find_doubt,
    mark_paragraphs,
    quote_sentences,
    score_paragraphs,
)
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.settings import TrustSettings

SENTENCES = ["Maren Holt leads the port of Ashford.", "Repairs cost £1.4 million on 3 May."]
ARTICLE = ArticleFacts(" ".join(SENTENCES))

SALIENT = "Holt, in Ashford since May, leads the port."


def test_best_sentences_come_in_article_order() -> None:
    assert best_sentences(["a", "b", "c", "d"], [0.1, 0.9, 0.2, 0.8], 2, True) == [1, 3]


def test_trigram_blocking_skips_a_repetition() -> None:
    sentences = ["The bridge will close.", "It said the bridge will close.", "It rained."]
    scores = [0.9, 0.8, 0.1]
    assert best_sentences(sentences, scores, 2, trigram_blocking=True) == [0, 2]
    assert best_sentences(sentences, scores, 2, trigram_blocking=False) == [0, 1]


def test_fewer_sentences_than_requested() -> None:
    assert best_sentences(["a"], [0.3], 3, True) == [0]
    assert best_sentences([], [], 3, True) == []


@pytest.mark.parametrize(
    ("words", "chosen"),
    [(1, [1]), (3, [1]), (4, [1]), (5, [1, 2]), (6, [1, 2]), (7, [0, 1, 2]), (99, [0, 1, 2, 3])],
)
def test_sentences_are_added_while_they_come_closer_to_the_words(
    words: int, chosen: list[int]
) -> None:
    sentences = [
        "It rained.",
        "The bridge closed.",
        "Nobody came over.",
        "Maren Holt leads a port.",
    ]
    scores = [0.6, 0.9, 0.8, 0.1]
    assert best_sentences(sentences, scores, 0, True, words=words) == chosen
    assert best_sentences([], [], 0, True, words=words) == []


def test_words_are_counted_in_every_script_and_a_repetition_uses_none() -> None:
    sentences = ["大桥关闭了。", "船又开了。", "下雨。"]  # 5, 4 and 2 words
    assert best_sentences(sentences, [0.9, 0.8, 0.7], 0, True, words=9) == [0, 1]
    sentences = ["The bridge will close.", "It said the bridge will close.", "It rained."]
    assert best_sentences(sentences, [0.9, 0.8, 0.1], 0, True, words=6) == [0, 2]


@pytest.mark.parametrize(
    ("paragraphs", "important"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (20, 3)]
)
def test_by_default_at_most_half_of_the_paragraphs_are_important(
    paragraphs: int, important: int
) -> None:
    article = "\n\n".join(f"Paragraph {number} is here." for number in range(paragraphs))
    scores = [number / 100 for number in range(paragraphs)]
    sentences = split_sentences(article)
    for top_k, threshold, count in (
        (None, None, important),
        (20, None, paragraphs),
        (None, 0, paragraphs),
    ):
        marked = mark_paragraphs(article, sentences, scores, top_k, threshold, default=3)
        assert [paragraph.important for paragraph in marked].count(True) == count
    marked = mark_paragraphs(article, sentences, scores, None, None, default=3)
    assert marked[-1].important


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_by_default_no_paragraph_is_important_beside_far_better_ones(scale: float) -> None:
    article = "\n\n".join(f"Paragraph {number} is here." for number in range(8))
    scores = [scale * score for score in (0.01, 0.8, 0.19, 0.21, 0.0, 0.0, 0.0, 0.0)]
    sentences = split_sentences(article)
    marked = mark_paragraphs(article, sentences, scores, None, None, default=4)
    assert [paragraph.important for paragraph in marked] == [False, True, False, True, *[False] * 4]
    marked = mark_paragraphs(article, sentences, scores, 3, None, default=4)
    assert [paragraph.important for paragraph in marked].count(True) == 3


@pytest.mark.parametrize(
    ("article", "chosen", "expected"),
    [
        ("One is.  Two is. Three is.", [0, 1], "One is.  Two is."),
        ("One is. Two is. Three is.", [0, 2], "One is.\nThree is."),
        ("One is. Two is. Three is. Four is.", [0, 1, 3], "One is. Two is.\nFour is."),
        ("One is.\n\nTwo is.", [0, 1], "One is.\nTwo is."),
        ("One is.\u2028Two is.", [0, 1], "One is.\nTwo is."),
        ("日本語です。次の文です。", [0, 1], "日本語です。次の文です。"),
        ("It sets window.PWN to 1. It ran.", [0, 1], "It sets window.PWN to 1. It ran."),
        ("One is.", [], ""),
    ],
)
def test_neighboring_sentences_keep_what_is_between_them(
    article: str, chosen: list[int], expected: str
) -> None:
    assert quote_sentences(article, split_sentences(article), chosen) == expected


@given(
    st.text(st.sampled_from("aB .!?。\n\r\u2028\"'\u200b\u00ad日"), max_size=80),
    st.lists(st.booleans(), min_size=80, max_size=80),
)
def test_each_line_of_a_quotation_is_in_the_article(article: str, wanted: list[bool]) -> None:
    sentences = split_sentences(article)
    chosen = [index for index in range(len(sentences)) if wanted[index]]
    quoted = quote_sentences(article, sentences, chosen)
    assert all(line in article for line in quoted.split("\n"))
    if len(article.splitlines()) == 1 and len(chosen) == len(sentences) > 0:
        assert quoted == article[sentences[0].start : sentences[-1].end]


def test_a_paragraph_has_the_score_of_its_best_sentence() -> None:
    article = "One is here. Two is here.\n\nThree is here.\n\nFour is. Five is."
    scores = score_paragraphs(
        split_paragraphs(article), split_sentences(article), [0.1, 0.7, 0.2, 0.3, 0.25]
    )
    assert scores == [0.7, 0.2, 0.3]


def test_a_paragraph_without_a_scored_sentence_scores_zero() -> None:
    assert score_paragraphs([Span(0, 3), Span(5, 9)], [Span(5, 9)], [0.4]) == [0.0, 0.4]


def test_an_article_of_one_paragraph_is_marked_by_sentence() -> None:
    article = "One is here. Two is here."
    sentences = split_sentences(article)
    marked = mark_paragraphs(article, sentences, [0.2, 0.7], top_k=None, threshold=0.5, default=3)
    assert [paragraph.text for paragraph in marked] == ["One is here.", "Two is here."]
    assert [paragraph.important for paragraph in marked] == [False, True]


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
        ('Holt leads the port. " the port."', 0.1, {"minimum_confidence": 0.5}, "damaged"),
        ("Repairs cost £1.5 million.", 0.9, {}, "unsupported_facts"),
        ("Maren Ashford leads the port.", 0.9, {}, "unsupported_facts"),
        ("It reopened on 4 May.", 0.9, {}, "unsupported_facts"),
        ("It reopened on 4 May.", 0.9, {"supported_facts_only": False}, None),
        ("Holt never leads the port.", 0.9, {}, "contradicts_article"),
        ("Holt never leads the port.", 0.9, {"supported_facts_only": False}, None),
        ("The port is repaired.", 0.49, {"minimum_confidence": 0.5}, "low_confidence"),
        ("The port is repaired.", 0.5, {"minimum_confidence": 0.5}, None),
        ("It reopened on 4 May.", 0.1, {"minimum_confidence": 0.5}, "unsupported_facts"),
    ],
)
def test_the_first_check_that_a_summary_fails(
    summary: str, confidence: float, settings: dict[str, float], expected: str | None
) -> None:
    trust = TrustSettings(**settings)
    doubt = find_doubt(
        summary, confidence, ARTICLE, SALIENT, trust, sentences=SENTENCES, cut_off=False
    )
    assert doubt == expected


def test_a_summary_of_an_unfamiliar_article_is_not_shown() -> None:
    summary, trust = "Holt leads the port.", TrustSettings()
    for familiar, expected in ((True, None), (False, "unfamiliar")):
        doubt = find_doubt(
            summary, 0.9, ARTICLE, SALIENT, trust,
            sentences=SENTENCES, cut_off=False, familiar=familiar,
        )  # fmt: skip
        assert doubt == expected


@pytest.mark.parametrize(
    ("summary", "confidence", "expected"),
    [
        ("Maren Holt.", 0.9, None),
        ("Maren Ashford.", 0.9, "unsupported_facts"),
        ("Maren Holt.", 0.1, "low_confidence"),
        ("", 0.9, "empty"),
    ],
)
def test_the_coverage_of_a_summary_that_was_cut_off_is_not_checked(
    summary: str, confidence: float, expected: str | None
) -> None:
    trust = TrustSettings(minimum_coverage=0.9, minimum_confidence=0.5)
    doubt = find_doubt(
        summary, confidence, ARTICLE, SALIENT, trust, sentences=SENTENCES, cut_off=True
    )
    assert doubt == expected
