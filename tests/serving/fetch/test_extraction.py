"""Realistic and broken pages: the article is extracted in order, without what surrounds it."""

import time
from itertools import count

import pytest

from highlighter.data.sentences import split_paragraphs
from serving.fetch.decoding import decode_page
from serving.fetch.errors import NoArticleError, PageNotHtmlError, PageTooLargeError, WebError
from serving.fetch.extraction import ArticleText, PageRedirect, read_html, read_plain
from tests.serving.fetch.servers import ARTICLE, PAGE, Server, answer, article_at, fetcher_for

NEWS = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Ferry returns | The Ashford Post</title>
<meta property="og:title" content="Ashford ferry  returns to service">
<script>window.dataLayer = ["The script says nothing."];</script>
<style>p {{ color: black }}</style></head><body>
<header><nav><ul><li><a href="/">Home</a></li><li><a href="/uk">UK</a></li>
<li><a href="/sport">Sport</a></li></ul></nav></header>
<div id="cookie-banner" class="cookie-consent"><p>We use cookies to improve your experience. By
continuing you accept our cookie policy.</p><button>Accept all</button></div>
<main><article><h1>Ashford ferry returns to service</h1>
<p class="byline">By Jane Quill, Transport correspondent</p>
<figure><img src="ferry.jpg"><figcaption>The ferry in harbour. Photo: PA</figcaption></figure>
<p>{ARTICLE[0]}</p>
<div class="ad advertisement"><p>Advertisement</p>
<p>Buy the new Calder X9 today, from only 299 pounds a month.</p></div>
<p>{ARTICLE[1].replace("twice", "<b>twice</b>").replace("January", '<a href="/t">January</a>')}</p>
<h2>Hard winter</h2>
<p>{ARTICLE[2]}</p>
<blockquote><p>It was a long wait.</p><p>We are glad it is over.</p></blockquote>
<ul><li>First sailing at 07:10.</li><li>Six crossings a day.</li></ul>
<table><tr><td>Adult</td><td>4.50</td></tr><tr><td>Child</td><td>2.10</td></tr></table>
<aside class="related"><h3>Related stories</h3><ul><li><a href="/1">Bridge closes in May</a></li>
<li><a href="/2">Mayor resigns over parking row</a></li></ul></aside>
<p>The council will review the timetable in autumn, and publish the result.</p>
</article></main>
<section class="comments"><h2>Comments</h2><p>First! Great ferry, I love it.</p></section>
<footer><p>© 2024 Ashford Post. All rights reserved.</p><a href="/privacy">Privacy</a></footer>
</body></html>"""


def extracted(page: str) -> ArticleText:
    article = read_html(page)
    assert isinstance(article, ArticleText)
    return article


PARAGRAPHS = [
    *ARTICLE,
    "It was a long wait.",
    "We are glad it is over.",
    "First sailing at 07:10.",
    "Six crossings a day.",
    "The council will review the timetable in autumn, and publish the result.",
]


def test_a_news_page() -> None:
    article = extracted(NEWS)
    assert article.text.split("\n\n") == PARAGRAPHS
    assert article.title == "Ashford ferry returns to service"
    spans = split_paragraphs(article.text)
    assert [article.text[start:end] for start, end in spans] == PARAGRAPHS


def test_line_breaks_in_the_text_are_kept() -> None:
    page = f"<body><div class=story>{'<br><br>'.join(ARTICLE)}<br>Fares stay.</div></body>"
    text = extracted(page).text
    assert text.split("\n\n")[:2] == list(ARTICLE[:2])
    assert "board.\nFares stay." in text


def test_line_breaks_in_the_source_are_not_paragraphs() -> None:
    wrapped = PAGE.replace(" ", "\n   ").replace("\n   class", " class")
    assert extracted(wrapped).text.split("\n\n") == list(ARTICLE)


def test_an_xhtml_page_with_a_declaration() -> None:
    assert extracted('<?xml version="1.0" encoding="utf-8"?>' + PAGE).text.split("\n\n") == list(
        ARTICLE
    )


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("0; url=/other", "/other"),
        ("0;URL='/other'", "/other"),
        ('0;URL="/other" ', "/other"),
        ("3, /other", "/other"),
        (" 0 ; url = other page ", "/other%20page"),
        ("0.5;url=http://news.example.org/other#x", "/other"),
        ("0;url=url=a", "/url=a"),
        ("0; url=/", None),
        ("0; url=#top", None),
        ("300; url=/other", None),
        ("300", None),
        ("0", None),
        ("0; url=", None),
        ("0; url=javascript:alert(1)", None),
        ("0; url=file:///etc/passwd", None),
        ("0; url=http://user@other.example.org/", None),
        ("nonsense", None),
    ],
)
def test_a_page_that_sends_its_readers_on(content: str, target: str | None) -> None:
    page = (
        f"<meta http-equiv=Refresh content='{content}'>"
        if "'" not in content
        else (f'<meta http-equiv=Refresh content="{content}">')
    )
    found = read_html(page + PAGE, "http://news.example.org/")
    if target is None:
        assert isinstance(found, ArticleText)
    else:
        assert found == PageRedirect(f"http://news.example.org{target}")


def test_a_refresh_for_readers_without_scripts_is_followed_only_without_an_article() -> None:
    moved = "<noscript><meta http-equiv=refresh content='0;url=/b'></noscript>"
    found = read_html(f"<head>{moved}</head><script>go()</script>", "http://news.example.org/")
    assert found == PageRedirect("http://news.example.org/b")
    assert isinstance(read_html(moved + PAGE, "http://news.example.org/"), ArticleText)


TEASERS = "".join(
    f'<div class="teaser"><h3><a href="/{i}">Headline number {i} on the council</a></h3>'
    f'<a href="/{i}">Read more</a></div>'
    for i in range(40)
)


@pytest.mark.parametrize(
    "page",
    [
        "",
        " ",
        "<!-- nothing -->",
        "<html><body></body></html>",
        f"<html><body><nav><a href=/>Home</a></nav><main><h1>Latest</h1>{TEASERS}</main></body>",
        "<body><h1>Sign in</h1><form><label>Email</label><input><button>Go</button></form>"
        "<p>By continuing you agree to our terms and to our privacy policy.</p></body>",
        "<body><div id=root></div><noscript>You need to enable JavaScript to run this app."
        "</noscript><script>" + "start();" * 500 + "</script></body>",
        "<body><article><p>Short.</p></article></body>",
        "<frameset><frame src=a></frameset>",
    ],
    ids=["empty", "blank", "comment", "bare", "index", "sign-in", "script", "short", "frames"],
)
def test_pages_without_an_article(page: str) -> None:
    with pytest.raises(NoArticleError, match="send the article's text"):
        read_html(page)


def test_plain_text() -> None:
    text = "\r\n\r\n\r\n".join(f"  {paragraph}  " for paragraph in ARTICLE)
    assert read_plain(text).text == "\n\n".join(ARTICLE)
    assert read_plain(text).title is None
    with pytest.raises(NoArticleError):
        read_plain("Too short.")
    with pytest.raises(PageNotHtmlError):
        read_plain("\x89PNG\0" * 100)


def test_a_plain_text_page_over_the_wire() -> None:
    body = "\n\n".join(ARTICLE)
    with Server(answer(body, content_type="text/plain; charset=utf-8")) as server:
        assert article_at(fetcher_for(server), server.url()).text == body


def test_large_pages_are_read_in_seconds() -> None:
    script = "<script>" + "let ferry = 'returns';\n" * 200_000 + "</script>"
    long = "".join(f"<p>{number}. {ARTICLE[1]}</p>" for number in range(1000))
    page = NEWS.replace("</head>", f"{script}</head>").replace("<h2>Hard", f"{long}<h2>Hard")
    assert len(page) > 4_700_000
    start = time.process_time()
    assert len(extracted(page).text.split("\n\n")) == len(PARAGRAPHS) + 1000
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "body",
    ["<b>a</b>" * 150_000, "<div>" * 5_000 + "text", "<ul><li>" * 90 + "<br>" * 100_000],
    ids=["many", "deep", "both"],
)
def test_excessive_markup_is_refused_early(body: str) -> None:
    start = time.process_time()
    with pytest.raises(PageTooLargeError):
        read_html(f"<html><body>{body}</body></html>")
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "broken",
    [
        "<p>&#0;&#xD800;&#x110000;&#xFFFF;&nosuch;</p>",
        "<p>\x01\x0b\x1b\ufffe\U0010ffff</p>",
        "<article><p>" * 40 + "<table><p><ul></table></li>",
        "<svg><foreignObject><p>a</p></svg><math><mi>b</mi></math>",
        "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><p>&a;</p>",
        "<base href='file:///'><iframe src='http://127.0.0.1/'></iframe><object data=x></object>",
        '<script type="application/ld+json">{"articleBody": [[[[</script>',
        "<p " + "a=b " * 5000 + ">",
        "<" * 10_000,
        "</p>" * 5_000,
        "<a:b c:d='e'><x:y/></a:b><?php echo 1 ?><![CDATA[ <p>c</p> ]]>",
    ],
    ids=count(),
)
def test_broken_markup_gives_an_article_or_an_error(broken: str) -> None:
    for page in (broken, NEWS.replace("<h2>Hard winter</h2>", broken)):
        try:
            text = extracted(page).text
        except WebError:
            continue
        assert page == broken or ARTICLE[0] in text
        assert "root:" not in text


FRENCH = "Le café de la gare rouvre près du théâtre : « Enfin ! », dit l’élève."
RUSSIAN = "Паром вернётся на линию третьего мая, сообщили власти."
JAPANESE = "フェリーは五月三日に運航を再開する。"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (FRENCH.encode(), "text/html; charset=utf-8", FRENCH),
        (FRENCH.encode(), "text/html; charset='UTF8'", FRENCH),
        (FRENCH.encode(), "text/html", FRENCH),
        (FRENCH.encode(), "text/html; charset=iso-8859-1", FRENCH),
        (FRENCH.encode("cp1252"), "text/html; charset=ISO-8859-1", FRENCH),
        (FRENCH.encode("cp1252"), "text/html; charset=utf-8", FRENCH),
        (FRENCH.encode("cp1252"), "text/html", FRENCH),
        (FRENCH.encode("cp1252"), "text/html; charset=nonsense", FRENCH),
        (FRENCH.encode("cp1252"), "text/html; charset=punycode", FRENCH),
        (FRENCH.encode("utf-8-sig"), "text/html; charset=windows-1252", FRENCH),
        (FRENCH.encode("utf-16"), "text/html", FRENCH),
        (FRENCH.encode("utf-16-be"), "text/html; charset=utf-16be", FRENCH),
        (FRENCH.encode() + b"\xff", "text/html; charset=utf-8", FRENCH + "\ufffd"),
        (RUSSIAN.encode("cp1251"), "text/html; charset=windows-1251", RUSSIAN),
        (RUSSIAN.encode("koi8-r"), "text/html; charset=KOI8-R", RUSSIAN),
        (JAPANESE.encode("shift_jis"), "text/html; charset=Shift_JIS", JAPANESE),
        (JAPANESE.encode("euc_jp"), "text/html; charset=euc-jp", JAPANESE),
        (JAPANESE.encode("iso2022_jp"), "text/html; charset=iso-2022-jp", JAPANESE),
        (b"plain ascii", "text/html; charset=utf-16", "plain ascii"),
        (b"+ADw-script+AD4-", "text/html; charset=utf-7", "+ADw-script+AD4-"),
        (b"", "text/html", ""),
    ],
)
def test_charsets(body: bytes, content_type: str, expected: str) -> None:
    assert decode_page(body, content_type) == expected


@pytest.mark.parametrize(
    "declaration",
    [
        '<meta charset="windows-1251">',
        "<meta charset=windows-1251>",
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
        '<?xml version="1.0" encoding="windows-1251"?>',
    ],
)
def test_a_page_may_declare_its_charset(declaration: str) -> None:
    body = (declaration + RUSSIAN).encode("cp1251")
    assert decode_page(body, "text/html") == declaration + RUSSIAN
    assert decode_page(body, "text/html; charset=koi8-r") != declaration + RUSSIAN


@pytest.mark.parametrize(
    "head",
    [
        '<script src=x.js charset="utf-8"></script><meta charset=windows-1251>',
        '<meta name=description content="charset=gbk"><meta charset="windows-1251">',
        '<link rel=stylesheet charset=gbk><a charset=gbk></a><META CHARSET = "Windows-1251" />',
        "<title>charset=gbk <meta charset=gbk></title><meta charset=windows-1251>",
        "<!-- <meta charset=gbk> --><style><meta charset=gbk></style><meta charset=windows-1251>",
        "<script>document.write('<meta charset=gbk>')</script><meta charset=windows-1251>",
        "<script>" + "var a = 1;" * 100_000 + "</script><meta charset=windows-1251>",
        "<meta content='text/html; charset=windows-1251' name='a > b' http-equiv=content-type>",
        "<meta http-equiv=refresh content='9;charset=gbk'><meta charset=windows-1251>",
        "<meta charset=unknown-8bit><meta charset=windows-1251>",
    ],
    ids=count(),
)
def test_only_meta_elements_declare_a_charset_however_late(head: str) -> None:
    body = (head + RUSSIAN).encode("cp1251")
    assert decode_page(body, "text/html") == head + RUSSIAN
    # Many servers send this with every page.
    assert decode_page(body, "text/html; charset=ISO-8859-1") == head + RUSSIAN


@pytest.mark.parametrize(
    "part", [b"<!--", b"<script>", b"<meta a", b"<meta \"'", b"<meta charset=a ", b"<meta x='"]
)
def test_looking_for_a_charset_takes_linear_time(part: bytes) -> None:
    start = time.process_time()
    decode_page(part * (2_000_000 // len(part)) + b"\xff", "text/html")
    assert time.process_time() - start < 3


def test_a_latin_1_page_over_the_wire() -> None:
    page = answer(PAGE.encode("cp1252"), content_type="text/html; charset=iso-8859-1")
    with Server(page) as server:
        article = article_at(fetcher_for(server), server.url())
    assert article.text == "\n\n".join(ARTICLE)
