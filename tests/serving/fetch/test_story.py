"""No paragraph of a story is lost, and what surrounds it stays out, in many shapes of pages."""

import json
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.fetch.blocks import page_blocks
from serving.fetch.errors import NoArticleError, WebError
from serving.fetch.extraction import ArticleText, read_html
from tests.serving.fetch.pages import (
    BELOW,
    MENU,
    STORIES,
    Page,
    article_pages,
    made_up_page,
    missing,
    surplus,
)

PAGES = dict(article_pages())


def extracted(page: str) -> str:
    article = read_html(page)
    assert isinstance(article, ArticleText)
    return article.text


def test_there_are_pages_of_many_shapes() -> None:
    assert len(PAGES) >= 60


@pytest.mark.parametrize("name", PAGES)
def test_a_story_is_kept_and_its_surroundings_are_not(name: str) -> None:
    page = PAGES[name]
    text = extracted(page.html)
    assert missing(text, page) == []
    assert surplus(text) == []
    places = [text.index(part[:30]) for part in page.paragraphs]
    assert places == sorted(places)
    assert page.paragraphs[0] in text and "\0" not in text


# --- pages put together at random -----------------------------------------------------------------


@given(st.integers(0, 2**32).map(random.Random).map(made_up_page))
def test_any_mixture_of_elements_keeps_the_story(page: Page) -> None:
    text = extracted(page.html)
    lost = [part for part in missing(text, page) if len(part) > 60]
    assert lost == []
    assert len(missing(text, page)) <= 1
    assert surplus(text) == []
    assert set(text.split("\n\n")) <= set(page.paragraphs)


MARKUP = (
    "<p> </p> <div> </a> <table> <td> <h1> <b> <br> <script> </script> <svg> <template> <article> "
    '</article> <form> <!-- --> Text. &shy; &#0; ] } {"a":[ <script\ttype=application/ld+json> '
    '{"@type":"Article","articleBody": <a\thref=/x>'
)


@given(
    st.lists(st.sampled_from(MARKUP.split(" "))),
    st.text(max_size=20),
)
def test_any_markup_gives_an_article_or_an_error(parts: list[str], text: str) -> None:
    page = text.join(parts)
    try:
        assert extracted(page)
    except WebError:
        return


# --- single properties ----------------------------------------------------------------------------

STORY = STORIES[0]


def with_story(before: str = "", after: str = "") -> str:
    paragraphs = "".join(f"<p>{part}</p>" for part in STORY.paragraphs)
    return f"<article><h1>{STORY.headline}</h1>{before}{paragraphs}{after}</article>"


def test_soft_hyphens_and_zero_width_characters_are_dropped() -> None:
    page = with_story(
        "<p>Ash&shy;ford Coun&shy;cil said that the ser&#8203;vice re\ufeffturns.</p>"
    )
    assert "Ashford Council said that the service returns." in extracted(page)


def test_a_paragraph_that_a_page_shows_twice_is_kept_once() -> None:
    text = extracted(with_story(after=f"<div class=mobile><p>{STORY.paragraphs[0]}</p></div>"))
    assert text.count(STORY.paragraphs[0]) == 1


@pytest.mark.parametrize(
    "heading", ["Hard winter", "What happens now?", "Repairs cost twice the first estimate"]
)
def test_headings_are_no_paragraphs(heading: str) -> None:
    page = with_story(after=f"<h2>{heading}</h2><p>The board meets again in June.</p>")
    assert heading not in extracted(page)


def test_figures_in_a_table_are_no_paragraphs() -> None:
    rows = "".join(f"<tr><td>Adult {n}</td><td>{n}.50</td></tr>" for n in range(9))
    assert extracted(with_story(after=f"<table>{rows}</table>")) == "\n\n".join(STORY.paragraphs)


def test_deep_layouts_are_read() -> None:
    page = with_story()
    for number in range(100):
        page = f"<div class=layer{number}>{page}</div>"
    assert extracted(page) == "\n\n".join(STORY.paragraphs)


def test_a_live_blog_of_a_whole_day_is_read() -> None:
    posts = "".join(
        f"<article><div><div><span><time>10:{i % 60:02d}</time></span></div><div><p>Post {i}: the "
        f"count in ward {i} was over, and nobody was elected at once.</p></div></div></article>"
        for i in range(4000)
    )
    start = time.process_time()
    page = f"<html><body>{MENU}<main><h1>Election</h1>{posts}</main>{BELOW}</body></html>"
    paragraphs = extracted(page).split("\n\n")
    assert time.process_time() - start < 4
    assert [part.split(":")[0] for part in paragraphs] == [f"Post {i}" for i in range(4000)]


def test_a_live_blog_of_hours_is_read() -> None:
    posts = "".join(
        f"<article class=post><time>10:{i % 60:02d}</time><p>Post {i}: the count in ward {i} was "
        "over, and nobody was elected at once.</p></article>"
        for i in range(300)
    )
    text = extracted(
        f"<html><body>{MENU}<main><h1>Election</h1>{posts}</main>{BELOW}</body></html>"
    )
    assert len(text.split("\n\n")) == 300


def test_the_declared_article_completes_the_page() -> None:
    """A paragraph in what looks like an advertisement is the story's if linked data says so."""
    parts = STORY.paragraphs
    data = {"@type": ["NewsArticle"], "articleBody": " ".join(parts)}
    page = (
        f"<article><h1>{STORY.headline}</h1><p>{parts[0]}</p><aside class=promo>{parts[1]}</aside>"
        + "".join(f"<p>{part}</p>" for part in parts[2:])
        + f'</article><script type="application/ld+json">{json.dumps(data)}</script>'
    )
    assert extracted(page) == "\n\n".join(parts)


@pytest.mark.parametrize(
    "script",
    [
        '{"articleBody": "BODY"}',
        '[{"@type": "WebSite"}, {"@type": "NewsArticle", "articleBody": "BODY"}]',
        '<!-- {"@type": "NewsArticle", "articleBody": "BODY"} -->',
        '{"@type": "LiveBlogPosting", "articleBody": "BODY"};',
    ],
)
def test_forms_of_linked_data(script: str) -> None:
    script = script.replace('{"articleBody', '{"@type": "Article", "articleBody')
    body = "\n".join(STORY.paragraphs)  # a line break inside of a string, which JSON does not allow
    page = f"<p>Menu</p><script type='application/ld+json'>{script.replace('BODY', body)}</script>"
    assert extracted(page) == "\n\n".join(STORY.paragraphs)


@pytest.mark.parametrize("script", ["application/ld+json", "application/json"])
def test_half_of_an_emoji_in_a_script_is_replaced(script: str) -> None:
    """The page would be refused, because no tokenizer accepts the text."""
    body = json.dumps("\n".join([*STORY.paragraphs, "It was a long \ud83d winter."]))
    data = f'{{"@type": "Article", "articleBody": {body}}}'
    assert "a long \ufffd winter" in extracted(f"<script type='{script}'>{data}</script>")


def test_state_of_another_page_is_not_taken_for_the_story() -> None:
    other = {"list": [{"text": part} for part in STORIES[1].paragraphs]}
    page = f"<script>window.STATE = {json.dumps(other)}</script>{with_story()}"
    assert extracted(page) == "\n\n".join(STORY.paragraphs)
    with pytest.raises(NoArticleError):
        read_html(f"<title>Swifts over cities</title><script>s = {json.dumps(other)}</script>")


def test_paragraphs_know_what_they_are() -> None:
    from lxml import html

    tree = html.document_fromstring(
        "<p>A <a href=/b>long enough link</a></p><h2>B</h2><nav>C</nav>"
    )
    first, heading, menu = page_blocks(tree)
    assert (first.text, first.linked, first.link) == ("A long enough link", 16, "/b")
    assert heading.is_heading and not heading.is_prose
    assert menu.outside
