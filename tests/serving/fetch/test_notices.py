"""Walls, checks, error pages, stubs and lists are no articles; articles about them are."""

import pytest

from serving.fetch.errors import NoArticleError
from serving.fetch.extraction import ArticleText, read_html
from tests.serving.fetch.notice_pages import MENTIONS, mentioning_page, notice_pages

PAGES = list(notice_pages())


@pytest.mark.parametrize(
    ("kind", "page"), PAGES, ids=[f"{n} {PAGES[n][0]}" for n in range(len(PAGES))]
)
def test_what_a_page_looks_like_instead_of_an_article(kind: str, page: str) -> None:
    with pytest.raises(NoArticleError, match=f"looks like .*({kind}).*send the article's text"):
        read_html(page)


@pytest.mark.parametrize("name", MENTIONS)
def test_an_article_about_such_pages_is_an_article(name: str) -> None:
    article = read_html(mentioning_page(MENTIONS[name]))
    assert isinstance(article, ArticleText)
    assert article.text.split("\n\n") == list(MENTIONS[name])


def test_a_whole_story_above_an_offer_is_an_article() -> None:
    parts = [f"In ward {n}, the count took until two in the morning, as it did four years ago."
             for n in range(30)]  # fmt: skip
    story = "".join(f"<p>{part}</p>" for part in parts)
    offer = "<div class=paywall><p>Subscribe to continue reading our other stories.</p></div>"
    article = read_html(f"<article><h1>Count</h1>{story}{offer}</article>")
    assert isinstance(article, ArticleText)
    assert article.text.startswith("\n\n".join(parts))
