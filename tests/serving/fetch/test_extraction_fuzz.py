"""Any page gives an article, a redirect or one of this package's errors, in a moment."""

import gzip
import random
import re
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.fetch.blocks import comparable
from serving.fetch.errors import WebError
from serving.fetch.extraction import ArticleText, read_page
from tests.serving.fetch.pages import STORIES, made_up_page

_MAX_BYTES = 200_000
_MARKUP = """
<p> </p> <div> </div> <br> <h1> <h2> </h2> <article> </article> <table> <td> <tr> <li> <ul> <form>
<a_href=/x> </a> <b> <i> <span> <pre> <noscript> </noscript> <template> <aside> <figure> </figure>
<figcaption> <svg> </svg> <!-- --> <![CDATA[ ]]> <?php &shy; &#0; &amp; &lt; &#xD800; <title>
</title> <meta_charset=utf-16> <base_href=//x> <script> </script> <script_type=application/ld+json>
{"@type":"NewsArticle","articleBody":" "} } ] = {"a":[ {"text":" "}, <script_type=application/json>
self.__next_f.push([1," "]) <p_class=ad> <x-y> <textarea> <style> <![if_IE]>
<meta_http-equiv=refresh_content=0;url=/b>
"""
_PARTS = [re.sub("_(?=[a-z-]+=)", " ", part) for part in _MARKUP.split()]
_SENTENCES = [f" {part} " for story in STORIES[:2] for part in story.paragraphs]
_PIECES = st.lists(st.sampled_from([*_PARTS, *_SENTENCES, *"\0\x1b\ufeff\u200b"]), max_size=60).map(
    "".join
)
_TYPES = st.sampled_from(
    ["text/html", "text/html; charset=utf-8", "text/html; charset=gbk", "text/html;charset=utf-16",
     "text/html; charset=iso-2022-jp", "text/plain", "text/plain; charset=x",
     "application/xhtml+xml", ""]
)  # fmt: skip


def read_or_refuse(body: bytes, content_type: str, codings: list[str]) -> str:
    """Return the text of a page, "" if there is none; fail if that takes more than seconds."""
    start = time.process_time()
    try:
        found = read_page(body, content_type, codings, _MAX_BYTES, "http://news.example.org/a")
    except WebError as error:
        assert len(str(error)) > 20
        found = None
    assert time.process_time() - start < 5
    if not isinstance(found, ArticleText):
        return ""
    assert len(found.text) >= 200 and found.text == found.text.strip()
    assert "\0" not in found.text and "\n\n\n" not in found.text
    return found.text


@given(st.one_of(_PIECES.map(str.encode), st.binary(max_size=400)), _TYPES)
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    read_or_refuse(body, content_type, [])


@given(_PIECES, st.sampled_from(["utf-8", "utf-16", "cp1252", "gb18030", "utf-8-sig"]), _TYPES)
def test_any_markup_in_any_charset_is_read_or_refused(
    page: str, encoding: str, content_type: str
) -> None:
    read_or_refuse(page.encode(encoding, "replace"), content_type, [])


@given(
    st.sampled_from(["gzip", "deflate", "br", "x-gzip", "identity", "gzip, gzip", "utf-8"]),
    st.integers(0, 10_000),
    st.binary(max_size=3),
)
def test_any_compressed_body_is_read_or_refused(coding: str, at: int, noise: bytes) -> None:
    page = b"<p>" + "</p><p>".join(STORIES[0].paragraphs).encode()
    body = zlib.compress(page) if coding == "deflate" else gzip.compress(page, mtime=0)
    start = at % len(body)
    damaged = body[:start] + noise + body[start + len(noise) :]
    text = read_or_refuse(damaged if noise else body[:start], "text/html", [coding])
    assert comparable(text) in comparable("".join(STORIES[0].paragraphs)) or coding not in (
        "gzip",
        "x-gzip",
    )


@given(st.integers(0, 2**32).map(random.Random).map(made_up_page), st.integers(0, 10**6))
def test_a_page_that_was_cut_off_has_the_beginning_of_its_story(page: object, at: int) -> None:
    html, paragraphs = page.html, page.paragraphs  # type: ignore[attr-defined]
    cut = html[: at % len(html)]
    text = comparable(read_or_refuse(cut.encode(), "text/html; charset=utf-8", []))
    whole = [part for part in paragraphs if part in cut]
    if text:
        lost = [part for part in whole[:-1] if len(part) > 60 and comparable(part) not in text]
        assert lost == []


@pytest.mark.parametrize(
    "unit",
    ["<p>A", "<div>", "<table><tr><td>", "<a href=/x>Long enough a link", "<br>\n", "&shy;",
     "= {",
     "<h1>a</h1>", '<script>self.__next_f.push([1,"', "<p class=ad>Ten.</p>", "\n \n", "<noscript>",
     "<li><a href=/x>y z</a>", "<!--", "<meta content='0;url", "<section class=ad-a>It is so. ",
     "<b><p>A b c d. "]
)  # fmt: skip
def test_a_page_of_one_thing_repeated_takes_seconds_at_most(unit: str) -> None:
    body = unit * 4_000
    read_or_refuse(body.encode(), "text/html", [])
