"""URLs that are fetched and URLs that are refused, and the parsing behind it."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.fetch.errors import UrlNotAllowedError, WebError
from serving.fetch.fetcher import ArticleFetcher
from serving.fetch.limits import WebSettings
from serving.fetch.urls import parse_url
from tests.serving.fetch.servers import NO_TLS, Names, page_text

PUBLIC = "93.184.215.14"
REFUSED, UNREACHABLE = "url_not_allowed", "url_unreachable"

URLS = {
    # schemes
    "file:///etc/passwd": REFUSED,
    "ftp://example.org/": REFUSED,
    "gopher://example.org:70/_x": REFUSED,
    "data:text/html,<p>hello": REFUSED,
    "javascript:alert(1)": REFUSED,
    "//example.org/": REFUSED,
    "example.org": REFUSED,
    "": REFUSED,
    "http:example.org": REFUSED,
    "http:///example.org": REFUSED,
    "http://": REFUSED,
    "http\u017f://example.org/": REFUSED,
    # user info, ports, characters
    "http://user:secret@example.org/": REFUSED,
    "http://example.org@127.0.0.1/": REFUSED,
    "http://127.0.0.1#@example.org/": REFUSED,
    "http://127.0.0.1# @example.org/": REFUSED,
    "http://127.0.0.1#\\@example.org/": REFUSED,
    "http://example.org@127.0.0.1/#x": REFUSED,
    "#http://example.org/": REFUSED,
    "http://example.org\\@127.0.0.1/": REFUSED,
    "http://example.org:22/": REFUSED,
    "http://example.org:8080/": REFUSED,
    "http://example.org:0/": REFUSED,
    "http://example.org:65616/": REFUSED,
    "http://example.org:/": REFUSED,
    "http://example.org:80:80/": REFUSED,
    "http://example.org:\u0668\u0660/": REFUSED,
    "http://example.org/a\r\nHost: internal": REFUSED,
    "http://example.org/a b": REFUSED,
    "http://exam\tple.org/": REFUSED,
    "http://example.org/\x00": REFUSED,
    "http://example.org/\ud800": REFUSED,
    "http://example.org/" + "a" * 5000: REFUSED,
    # IPv4 in its forms
    "http://127.0.0.1/": REFUSED,
    "http://127.255.255.254/": REFUSED,
    "http://2130706433/": REFUSED,
    "http://017700000001/": REFUSED,
    "http://0x7f000001/": REFUSED,
    "http://0x7f.1/": REFUSED,
    "http://0177.0.0.1/": REFUSED,
    "http://127.1/": REFUSED,
    "http://127.0.1/": REFUSED,
    "http://127.0.0.1.": REFUSED,
    "http://127.0.0.1./": REFUSED,
    "http://127.0.0.1../": REFUSED,
    "http://127.1./": REFUSED,
    "http://2130706433./": REFUSED,
    "http://0x7f000001./": REFUSED,
    "http://127\u30020\u30020\u30021\u3002/": REFUSED,
    "http://169.254.169.254./latest/meta-data/": REFUSED,
    "http://127.0.0.0x1/": REFUSED,
    "http://0/": REFUSED,
    "http://1.1.1.1.1/": REFUSED,
    "http://256.1.1.1/": REFUSED,
    "http://\uff11\uff12\uff17.0.0.1/": REFUSED,
    "http://127\u30020\u30020\u30021/": REFUSED,
    "http://\u2460\u2461\u2466.0.0.1/": REFUSED,
    "http://%31%32%37.0.0.1/": REFUSED,
    "http://0.0.0.0/": REFUSED,
    "http://10.0.0.1/": REFUSED,
    "http://172.31.255.255/": REFUSED,
    "http://192.168.1.1/": REFUSED,
    "http://100.64.0.1/": REFUSED,
    "http://100.100.100.200/": REFUSED,
    "http://169.254.169.254/latest/meta-data/": REFUSED,
    "http://168.63.129.16/": REFUSED,
    "http://192.0.0.192/": REFUSED,
    "http://192.0.2.1/": REFUSED,
    "http://192.88.99.1/": REFUSED,
    "http://198.18.0.1/": REFUSED,
    "http://198.51.100.1/": REFUSED,
    "http://203.0.113.1/": REFUSED,
    "http://224.0.0.1/": REFUSED,
    "http://240.0.0.1/": REFUSED,
    "http://255.255.255.255/": REFUSED,
    # IPv6
    "http://[::1]/": REFUSED,
    "http://[::]/": REFUSED,
    "http://[::ffff:127.0.0.1]/": REFUSED,
    "http://[::ffff:93.184.215.14]/": REFUSED,
    "http://[::ffff:7f00:1]/": REFUSED,
    "http://[::127.0.0.1]/": REFUSED,
    "http://[fe80::1]/": REFUSED,
    "http://[fe80::1%25eth0]/": REFUSED,
    "http://[fe80::1%eth0]/": REFUSED,
    "http://[fc00::1]/": REFUSED,
    "http://[fd00:ec2::254]/": REFUSED,
    "http://[fec0::1]/": REFUSED,
    "http://[ff02::1]/": REFUSED,
    "http://[64:ff9b::7f00:1]/": REFUSED,
    "http://[64:ff9b::8.8.8.8]/": REFUSED,
    "http://[64:ff9b:1::a9fe:a9fe]/": REFUSED,
    "http://[2002:7f00:1::]/": REFUSED,
    "http://[2001:0:7f00:1::]/": REFUSED,
    "http://[2001:db8::1]/": REFUSED,
    "http://[3fff::1]/": REFUSED,
    "http://[2001:10::1]/": REFUSED,
    "http://[100::1]/": REFUSED,
    "http://[5f00::1]/": REFUSED,
    "http://[2606:4700::5efe:10.0.0.1]/": REFUSED,
    "http://[2606:4700::200:5efe:a00:1]/": REFUSED,
    "http://[127.0.0.1]/": REFUSED,
    "http://[::1": REFUSED,
    "http://::1/": REFUSED,
    # names
    "http://localhost/": REFUSED,
    "http://LOCALHOST/": REFUSED,
    "http://a.localhost/": REFUSED,
    "http://intranet/": REFUSED,
    "http://wiki/": REFUSED,
    "http://printer.local/": REFUSED,
    "http://metadata.google.internal/": REFUSED,
    "http://router.home.arpa/": REFUSED,
    "http://x.onion/": REFUSED,
    "http://example.org../": REFUSED,
    "http://localhost./": REFUSED,
    "http://localhost\u3002/": REFUSED,
    "http://intranet./": REFUSED,
    "http://metadata.google.internal./": REFUSED,
    "http://./": REFUSED,
    "http://.example.org/": REFUSED,
    "http://exa..mple.org/": REFUSED,
    "http://-example.org/": REFUSED,
    "http://example.or_g/": REFUSED,
    "http://127.0.0.1_/": REFUSED,
    "http://_/": REFUSED,
    "http://_internal/": REFUSED,
    "http://under_score.local/": REFUSED,
    "http://private_name.example.org/": REFUSED,
    "http://" + "a" * 64 + ".org/": REFUSED,
    "http://" + "a." * 127 + "org/": REFUSED,
    "http://\u212aitchen.example.org/": REFUSED,
    "http://\u212aITCHEN.\u00c9xample.org/": REFUSED,
    "http://LOCALHO\u017fT/": REFUSED,
    "http://\u2126mega.example.org/": REFUSED,
    "http://\uff2cOCALHOST/": REFUSED,
    "http://\u0130stanbul.example.org/": REFUSED,
    "http://l\u00d6calhost/": REFUSED,
    "http://\u00d6.private.example.org\u3002/": UNREACHABLE,
    "http://exa\u00admple.org/": REFUSED,
    # what a name resolves to
    "http://private.example.org/": REFUSED,
    "http://mixed.example.org/": REFUSED,
    "http://mixed6.example.org/": REFUSED,
    "http://mapped.example.org/": REFUSED,
    "http://scoped.example.org/": REFUSED,
    "http://nonsense.example.org/": REFUSED,
    "http://nothing.example.org/": UNREACHABLE,
    "http://unknown.example.org/": UNREACHABLE,
    # fine
    "http://example.org": None,
    " HTTPS://Example.ORG/a?b=c#d \n": None,
    "http://example.org:443/": None,
    "https://m\u00fcnchen.example.org/stra\u00dfe?q=\u00f6": None,
    "http://93.184.215.14/": None,
    "http://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/": None,
    "http://127.0.0.1.example.org/": None,
    "http://1password.example.org/@user/a:b": None,
    "http://example.org./": None,
    "http://example.org.:80/": None,
    "http://example.org\u3002/": None,
    "https://my_blog.example.org/": None,
    "https://M\u00dcNCHEN.Example.org/": None,
    "https://mu\u0308nchen.example.org./": None,
    "https://example.org/a#b c": None,
    "https://example.org/a#:~:text=the ferry,\\returns": None,
    "https://example.org/#" + "a" * 5000: None,
}

NAMES = {
    "example.org": [PUBLIC],
    "xn--mnchen-3ya.example.org": [PUBLIC, "2606:2800:21f::1"],
    "127.0.0.1.example.org": [PUBLIC],
    "my_blog.example.org": [PUBLIC],
    "private_name.example.org": ["10.1.2.3"],
    "1password.example.org": [PUBLIC],
    "private.example.org": ["10.1.2.3"],
    "mixed.example.org": [PUBLIC, "127.0.0.1"],
    "mixed6.example.org": [PUBLIC, "::1"],
    "mapped.example.org": ["::ffff:93.184.215.14"],
    "scoped.example.org": ["fe80::1%eth0"],
    "nonsense.example.org": ["localhost"],
    "nothing.example.org": [],
}


class ReachedError(WebError):
    """The URL passed every check: a connection would follow."""


@pytest.fixture
def fetcher(monkeypatch: pytest.MonkeyPatch) -> ArticleFetcher:
    """Return a fetcher with the production checks, a fake resolver and no network."""

    class Transport(httpx.AsyncBaseTransport):
        def __init__(self, *_: object, **__: object) -> None: ...

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise ReachedError

    monkeypatch.setattr("serving.fetch.fetcher.PinnedTransport", Transport)
    names = {name: [addresses] for name, addresses in NAMES.items()}
    return ArticleFetcher(WebSettings(), resolve=Names(names), tls=NO_TLS)


@pytest.mark.parametrize(("url", "code"), URLS.items(), ids=[ascii(url)[:50] for url in URLS])
def test_which_urls_lead_to_a_connection(
    fetcher: ArticleFetcher, url: str, code: str | None
) -> None:
    with pytest.raises(WebError) as caught:
        page_text(fetcher, url)
    if code is None:
        assert isinstance(caught.value, ReachedError)
    else:
        assert caught.value.code == code
        assert str(caught.value)[-1] == "."
        assert not any(secret in str(caught.value) for secret in ("10.1.2.3", "::1", "secret"))


def test_user_info_is_given_as_the_reason() -> None:
    with pytest.raises(UrlNotAllowedError, match="user name"):
        parse_url("http://reader:secret@example.org/")


def test_parsed_parts_are_those_that_are_sent() -> None:
    url = parse_url("HTTPS://M\u00fcnchen.example.org:444?q=\u00f6 ".replace("M", "m"))
    assert url.host == "xn--mnchen-3ya.example.org"
    assert url.authority == "xn--mnchen-3ya.example.org:444"
    assert url.target == "/?q=%C3%B6"
    assert parse_url("http://[2606:2800:0::1]:81/").authority == "[2606:2800::1]:81"
    assert parse_url("http://example.org:80/").authority == "example.org"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/b?c", "https://example.org/b?c"),
        ("b", "https://example.org/a/b"),
        ("//other.example.org/", "https://other.example.org/"),
        ("https://other.example.org", "https://other.example.org/"),
        ("?x=1#y", "https://example.org/a/?x=1"),
        ("/news/ferry returns", "https://example.org/news/ferry%20returns"),
        (" /b c ", "https://example.org/b%20c"),
        ("/b c?d e#f g\\h", "https://example.org/b%20c?d%20e"),
        ("/caf\u00e9/\u00a0/\u043f", "https://example.org/caf%C3%A9/%C2%A0/%D0%BF"),
        ("//M\u00dcNCHEN.example.org./a", "https://xn--mnchen-3ya.example.org/a"),
        ("http://127.0.0.1 /", None),
        ("http:// 127.0.0.1/", None),
        ("//example.org @127.0.0.1/", None),
        ("//exam ple.org/", None),
        ("http ://other.example.org/", "https://example.org/a/http%20:/other.example.org/"),
        ("https://other.example.org:8 0/", None),
        ("file:///etc/passwd", None),
        ("//127.1/", None),
        ("//user@example.org/", None),
        ("http://[::1/", None),
        ("java\tscript:alert(1)", None),
        ("/a\tb", None),
        ("\\\\evil.example.org", None),
    ],
)
def test_locations(location: str, expected: str | None) -> None:
    base = parse_url("https://example.org/a/")
    if expected is None:
        with pytest.raises(UrlNotAllowedError):
            base.join(location)
    else:
        assert str(base.join(location)) == expected


def test_capitals_and_separate_accents_name_the_same_host() -> None:
    for name in (
        "m\u00fcller.de",
        "M\u00fcller.DE",
        "M\u00dcLLER.de",
        "mu\u0308ller.de",
        "MU\u0308LLER.de.",
    ):
        assert parse_url(f"https://www.{name}/a").host == "www.xn--mller-kva.de"
    assert (
        parse_url("http://\u039f\u0394\u039f\u03a3.gr/").host
        == parse_url("http://\u03bf\u03b4\u03bf\u03c3.gr/").host
    )


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(), st.text().map("http://".__add__), st.text().map("http://a.b/".__add__)))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        url = parse_url(text)
    except UrlNotAllowedError:
        return
    assert str(url).isascii()
    assert parse_url(str(url)) == url
    sent = httpx.URL(str(url))
    assert sent.raw_host.decode() == url.host and sent.port in {None, url.port}


@pytest.mark.parametrize(
    ("hosts", "host", "allowed"),
    [
        (None, "example.org", True),
        ((), "example.org", False),
        (("example.org",), "example.org", True),
        (("example.org",), "www.example.org", False),
        (("example.org",), "example.org.evil.org", False),
        (("*.example.org",), "www.example.org", True),
        (("*.example.org",), "a.b.example.org", True),
        (("*.example.org",), "example.org", False),
        (("*.example.org",), "evilexample.org", False),
        (("my_blog.example.org",), "my_blog.example.org", True),
        (("example.org",), "93.184.215.14", False),
    ],
)
def test_allowed_hosts(hosts: tuple[str, ...] | None, host: str, allowed: bool) -> None:
    assert WebSettings(allowed_hosts=hosts).allows_host(host) is allowed


@pytest.mark.parametrize(
    "wrong",
    [
        {"allowed_hosts": ("*",)},
        {"allowed_hosts": ("*.*.org",)},
        {"allowed_hosts": ("Example.org",)},
        {"allowed_hosts": ("https://example.org",)},
        {"allowed_hosts": ("127.0.0.1",)},
        {"allowed_hosts": ("localhost",)},
        {"ports": ()},
        {"ports": (0,)},
        {"ports": (65536,)},
        {"max_bytes": 0},
        {"timeout_seconds": 0},
        {"timeout_seconds": 1000},
        {"max_redirects": -1},
        {"allow_private": True},
    ],
)
def test_invalid_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WebSettings(**wrong)


def test_no_setting_allows_private_addresses() -> None:
    expected = "enabled allowed_hosts ports max_bytes timeout_seconds max_redirects"
    assert list(WebSettings.model_fields) == expected.split()
