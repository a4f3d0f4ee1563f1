import pytest
from hypothesis import given
from hypothesis import strategies as st

from highlighter.data.boilerplate import hide_boilerplate
from highlighter.data.characters import has_visible_text
from highlighter.data.sentences import sentence_texts, split_paragraphs, split_sentences

STORY = ["A ferry ran aground off Osdon on Monday.", "Nobody was hurt, the coastguard said."]
TEXT = " ".join(STORY)


@pytest.mark.parametrize(
    "top",
    [
        "By . Jane Quill . PUBLISHED: . 05:06 EST, 3 June 2013 . | . UPDATED: . "
        "09:07 EST, 3 June 2013 . ",
        "By . Daily Mail Reporter . ",
        "By . Jane Quill and Tom O'Hara . Last updated at 5:06 PM on 3rd June 2011 . ",
        "By . Jane Quill . and Ann B. Holt . PUBLISHED: . 17:06 GMT, 13 June 2013 . ",
        "PUBLISHED: . 05:06 EST, 3 June 2013 . | . UPDATED: . 09:07 EST, 3 June 2013 . ",
        "By Jane Quill for the Osdon Post\n",
        "By Jane Quill\nPublished: 05:06 EST, 3 June 2013 | Updated: 09:07 EST, 3 June 2013\n\n",
        "Published: 3 June 2013\r\n|\r\n",
        "Story highlights\nFerry ran aground\nNobody was hurt\n\n",
        "STORY HIGHLIGHTS:\n\nFerry ran aground\n\nNobody was hurt\n\n",
        "OSDON (CNN) --\n\n",
        "(Reuters) -\n",
        "By Jane Quill\nBBC News\n\nPublished\n3 hours ago\n\n",
        "Tue 3 May 2022 06.00 BST\nLast modified on Tue 3 May 2022 09.12 BST\n\n",
        "May 3, 2022, 5:06 p.m. ET\n",
        "Updated: May 3, 2022\n\n",
        "Published on Tuesday, 3rd May 2022 at 17:06\n5 min read\nShare\n",
        "Updated 20 minutes ago\nShare this article\n\n",
    ],
)
def test_what_stands_above_a_story_is_no_sentence(top: str) -> None:
    assert sentence_texts(top + TEXT) == STORY


@pytest.mark.parametrize(
    "label",
    ["Scroll down for video .", "SCROLL DOWN FOR VIDEO", "Scroll down to see the pictures."]
    + ["E-mail to a friend .", "Scroll down for videos"],
)
def test_a_label_is_no_sentence_on_its_own_line(label: str) -> None:
    assert sentence_texts(f"{STORY[0]}\n{label}\n{STORY[1]}") == STORY
    assert sentence_texts(f"{TEXT} {label}") == STORY


@pytest.mark.parametrize(
    "label",
    ["Advertisement", "SKIP ADVERTISEMENT", "Share", "Share this page", "Copy link", "(Image: PA)"]
    + ["(Photo: Jane Quill/Getty)", "READ MORE: Ten ferries that ran aground", "Getty Images"]
    + ["See also: Life on Osdon", "Story continues below", "Article continues after advertisement"],
)
def test_a_label_of_a_copied_page_is_no_sentence_on_its_own_line(label: str) -> None:
    assert sentence_texts(f"{STORY[0]}\n\n{label}\n\n{STORY[1]}\n") == STORY
    assert sentence_texts(f"{TEXT} {label} rose.")[:2] == STORY
    assert sentence_texts(f"{TEXT} {label} rose.")[2:] != []


def test_a_label_between_two_sentences_is_no_sentence() -> None:
    assert sentence_texts(f"{STORY[0]} Scroll down for video . {STORY[1]}") == STORY


def test_story_highlights_of_one_line_end_at_the_dateline() -> None:
    article = f"Story highlights Ferry ran aground Nobody was hurt OSDON (CNN) -- {TEXT}"
    assert sentence_texts(article) == [f"OSDON (CNN) -- {STORY[0]}", STORY[1]]


def test_a_byline_below_a_headline_is_left_out() -> None:
    article = f"Ferry aground\nBy Jane Quill\n{STORY[0]}\n{STORY[1]}"
    assert [article[a:b] for a, b in split_paragraphs(article)] == ["Ferry aground", *STORY]


@pytest.mark.parametrize(
    "article",
    [
        "By Monday the ferry was back. It had been away.",
        "By noon.",
        "They asked him to scroll down for video of it. He did.",
        "The story highlights two problems. Both are old.",
        "Story highlights",
        "By Jane Quill",
        "The list was published: 3 June 2013 was its date.",
        "(CNN) -- A ferry ran aground. It sank.",
        "He wrote to Reuters (Reuters) on Monday. It answered.",
        "Share prices fell.\nShare this with care, he said.\nAdvertisement was his trade.",
        "Read more: the ferry.",
        "It was 3 May 2022.\nPublished papers say so.\nMay 3, 2022 was a Tuesday.",
        "Photo: Jane Quill\nThe ferry ran aground.",
        "3 hours ago the ferry ran aground.\nIt sank.",
    ],
)
def test_ordinary_text_is_not_hidden(article: str) -> None:
    assert hide_boilerplate(article) == article


PARTS = ["By . ", "Jane Quill", " . ", "\n", "PUBLISHED: ", "3 June 2013", "| . ", "He left. "] + [
    "Story highlights", "(CNN) --", "Scroll down for video", "UPDATED: 05:06 EST, ", "\u200b", "> "
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join))
def test_hiding_keeps_length_and_line_breaks(article: str) -> None:
    hidden = hide_boilerplate(article)
    assert len(hidden) == len(article)
    changed = [(a, b) for a, b in zip(article, hidden, strict=True) if a != b]
    assert all(after == " " and before != "\n" for before, after in changed)
    assert split_sentences(article) or not has_visible_text(article)
    assert all(article[a:b].strip() == article[a:b] != "" for a, b in split_sentences(article))
