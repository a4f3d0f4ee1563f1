"""Redirects and name resolution: every hop is checked, resolved once and pinned."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from serving.fetch.addresses import system_lookup
from serving.fetch.errors import (
    FetchingDisabledError,
    UrlNotAllowedError,
    UrlTimeoutError,
    WebError,
)
from serving.fetch.fetcher import ArticleFetcher
from serving.fetch.limits import WebSettings
from tests.serving.fetch.servers import (
    ARTICLE,
    HOST,
    NO_TLS,
    PAGE,
    Names,
    Server,
    allowing,
    answer,
    article_at,
    code_of,
    fetcher_for,
    page_text,
    redirect,
)


def test_a_page_becomes_an_article() -> None:
    with Server(answer()) as server:
        article = article_at(fetcher_for(server), server.url("/a?b=c#d"))
    assert article.url == server.url("/a?b=c")
    assert article.text == "\n\n".join(ARTICLE)
    [request] = server.requests
    head = request.decode().split("\r\n")
    assert head[:2] == ["GET /a?b=c HTTP/1.1", f"Host: {HOST}:{server.port}"]
    assert {line.split(":")[0].lower() for line in head[1:] if line} == {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "connection",
    }
    assert "Accept-Encoding: gzip, deflate" in head


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/page", ""),
        ("page", ""),
        ("http://news.example.org:{port}/page", ""),
        ("//news.example.org:{port}/page", ""),
        ("/the page", ""),
        (" page ", ""),
        ("/caf\u00e9", ""),
        ("http://NEWS.example.org.:{port}/page", ""),
        ("http://169.254.169.254:{port}/latest/meta-data/", "url_not_allowed"),
        ("http://metadata.example.org:{port}/", "url_not_allowed"),
        ("http://127.0.0.2:{port}/page", "url_not_allowed"),
        ("http://2130706433:{port}/page", "url_not_allowed"),
        ("http://[::ffff:127.0.0.1]:{port}/page", "url_not_allowed"),
        ("http://127.0.0.1 :{port}/page", "url_not_allowed"),
        ("http://127.0.0.2.:{port}/page", "url_not_allowed"),
        ("http://meta_data.example.org:{port}/", "url_not_allowed"),
        ("http://localhost:{port}/page", "url_not_allowed"),
        ("http://news.example.org:22/page", "url_not_allowed"),
        ("http://user@news.example.org:{port}/page", "url_not_allowed"),
        ("file:///etc/passwd", "url_not_allowed"),
        ("ftp://news.example.org:{port}/page", "url_not_allowed"),
        ("http://gone.example.org:{port}/page", "url_unreachable"),
        ("/loop", "url_unreachable"),
    ],
)
@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary"])
def test_redirects(location: str, expected: str, status: str) -> None:
    names = {
        HOST: [["127.0.0.1"]],
        "metadata.example.org": [["169.254.169.254"]],
        "meta_data.example.org": [["169.254.169.254"]],
    }
    pages = dict.fromkeys(("/page", "/the%20page", "/caf%C3%A9"), answer())
    pages["/loop"] = redirect("/loop")
    with Server(pages) as server:
        pages["/"] = redirect(location.format(port=server.port), status)
        assert code_of(fetcher_for(server, names=names), server.url()) == expected
    requests = 9 if location == "/loop" else 1 if expected else 2
    assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("allowed", "expected"), [(3, ""), (2, "url_unreachable"), (0, "url_unreachable")]
)
def test_redirects_are_counted(allowed: int, expected: str) -> None:
    pages = {f"/{hop}": redirect(f"/{hop + 1}") for hop in range(3)} | {"/3": answer()}
    with Server(pages) as server:
        assert code_of(fetcher_for(server, max_redirects=allowed), server.url("/0")) == expected
    assert len(server.requests) == allowed + 1


def test_bytes_of_another_encoding_reach_the_server_as_they_are() -> None:
    moved = redirect("/caf?").replace(b"caf?", b"caf\xe9 noir")
    with Server({"/": moved, "/caf%E9%20noir": answer()}) as server:
        assert code_of(fetcher_for(server), server.url()) == ""


def test_a_chain_of_link_shorteners_is_followed() -> None:
    """https > https > http > https > https, each name resolved and checked."""
    hosts = [f"{name}.example.org" for name in ("t", "b", "news", "news2", "www")]
    names = {host: [["127.0.0.1"]] for host in hosts}
    pages: dict[str, bytes] = {}
    with Server(pages) as server:
        for hop, host in enumerate(hosts[1:]):
            pages[f"/{hop}"] = redirect(server.url(f"/{hop + 1}", host=host))
        pages["/4"] = redirect("/5/ferry returns")
        pages["/5/ferry%20returns"] = answer()
        article = article_at(fetcher_for(server, names=names), server.url("/0", host=hosts[0]))
    assert article.url == server.url("/5/ferry%20returns", host="www.example.org")


def refreshing(content: str) -> bytes:
    return answer(f'<meta http-equiv="Refresh" content="{content}">{PAGE}')


def test_a_page_that_sends_its_readers_on_is_followed() -> None:
    with Server({"/": refreshing("0; url=other page"), "/other%20page": answer()}) as server:
        assert article_at(fetcher_for(server), server.url()).url == server.url("/other%20page")


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://169.254.169.254:{port}/latest/meta-data/", "url_not_allowed"),
        ("http://metadata.example.org:{port}/", "url_not_allowed"),
        ("/again", "url_unreachable"),
    ],
)
def test_the_target_of_a_page_is_checked_like_any_other(target: str, code: str) -> None:
    names = {HOST: [["127.0.0.1"]], "metadata.example.org": [["169.254.169.254"]]}
    pages: dict[str, bytes] = {
        "/again": refreshing("0;url=/more"),
        "/more": refreshing("0;url=/again"),
    }
    with Server(pages) as server:
        pages["/"] = refreshing("0;url=" + target.format(port=server.port))
        with pytest.raises(WebError) as caught:
            article_at(fetcher_for(server, names=names), server.url())
    assert caught.value.code == code
    assert len(server.requests) <= 9


@pytest.mark.parametrize(
    "headers", [{}, {"Location": ""}, {"Location": "/a\r\nLocation: /b"}, {"Location": "/\xff\xfe"}]
)
def test_redirects_without_a_valid_location(headers: dict[str, str]) -> None:
    pages = {"/": answer("", status="302 Found", **headers)}
    with Server(pages) as server:
        assert code_of(fetcher_for(server), server.url()) == "url_unreachable"


def test_allowed_hosts_apply_to_redirects() -> None:
    names = {HOST: [["127.0.0.1"]], "other.example.net": [["127.0.0.1"]]}
    with Server({"/": answer()}) as server:
        pages = {"/": redirect(server.url(host="other.example.net"))}
        with Server(pages) as first:
            fetcher = fetcher_for(first, server, names=names, allowed_hosts=("*.example.org",))
            assert code_of(fetcher, first.url()) == "url_not_allowed"
    assert not server.requests


def test_a_name_is_resolved_once_and_the_checked_address_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names({HOST: [["127.0.0.2"], ["127.0.0.1"]]})
    with (
        Server(answer(), address="127.0.0.2") as checked,
        Server(answer("internal"), port=checked.port) as internal,
    ):
        settings = WebSettings(ports=(checked.port,), timeout_seconds=5)
        fetcher = ArticleFetcher(
            settings, resolve=names, is_allowed=allowing("127.0.0.2"), tls=NO_TLS
        )

        def resolve_again(*_: object, **__: object) -> None:
            raise AssertionError("resolved a second time")

        monkeypatch.setattr(socket, "getaddrinfo", resolve_again)
        assert ARTICLE[0] in page_text(fetcher, checked.url())
        assert names.asked == [HOST]
        with pytest.raises(UrlNotAllowedError):  # the next fetch gets the second answer
            page_text(fetcher, checked.url())
    assert len(checked.requests) == 1
    assert not internal.requests


def test_each_hop_is_resolved_and_checked_again() -> None:
    names = Names({HOST: [["127.0.0.2"], ["127.0.0.1"]]})
    with (
        Server(redirect("/again"), address="127.0.0.2") as first,
        Server(answer("internal"), port=first.port) as internal,
    ):
        settings = WebSettings(ports=(first.port,), timeout_seconds=5)
        fetcher = ArticleFetcher(
            settings, resolve=names, is_allowed=allowing("127.0.0.2"), tls=NO_TLS
        )
        assert code_of(fetcher, first.url()) == "url_not_allowed"
    assert names.asked == [HOST, HOST]
    assert not internal.requests


def test_production_check_refuses_loopback_by_name_and_by_address() -> None:
    with Server(answer()) as server:
        settings = WebSettings(ports=(server.port,))
        fetcher = ArticleFetcher(settings, resolve=Names({HOST: [["127.0.0.1"]]}), tls=NO_TLS)
        assert code_of(fetcher, server.url()) == "url_not_allowed"
        assert code_of(fetcher, server.url(host="127.0.0.1")) == "url_not_allowed"
    assert not server.requests


def test_the_next_address_is_tried() -> None:
    with Server(answer(), address="127.0.0.2") as server:
        fetcher = ArticleFetcher(
            WebSettings(ports=(server.port,), timeout_seconds=5),
            resolve=Names({HOST: [["127.0.0.3", "127.0.0.2"]]}),
            is_allowed=allowing("127.0.0.2", "127.0.0.3"),
            tls=NO_TLS,
        )
        assert code_of(fetcher, server.url()) == ""


def test_no_server_listens() -> None:
    with Server(answer()) as server:
        pass
    assert code_of(fetcher_for(server), server.url()) == "url_unreachable"


def test_a_hanging_resolver_is_abandoned_in_time() -> None:
    over = threading.Event()

    def hang(_: str) -> list[str]:
        over.wait(10)
        return ["127.0.0.1"]

    fetcher = ArticleFetcher(WebSettings(timeout_seconds=0.3), resolve=hang, tls=NO_TLS)
    start = time.monotonic()
    with pytest.raises(UrlTimeoutError):
        page_text(fetcher, "http://example.org/")
    assert time.monotonic() - start < 2
    over.set()


def test_the_systems_lookup_asks_for_the_absolute_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def answer_twice(host: object, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(0, 0, 0, "", ("93.184.215.14", 0)), (0, 0, 0, "", ("93.184.215.14", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", answer_twice)
    assert system_lookup("example.org") == ["93.184.215.14"]
    assert asked == [b"example.org."]  # the final dot prevents search domains


def test_abandoned_lookups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.fetch.addresses._MAX_LOOKUPS", 2)
    over = threading.Event()
    asked: list[str] = []

    def hang(host: str) -> list[str]:
        asked.append(host)
        over.wait(10)
        return []

    fetcher = ArticleFetcher(WebSettings(timeout_seconds=0.1), resolve=hang, tls=NO_TLS)
    for _ in range(4):
        assert code_of(fetcher, "http://example.org/") == "url_timeout"
    assert len(asked) == 2
    over.set()


def test_fetching_can_be_disabled() -> None:
    names = Names({})
    fetcher = ArticleFetcher(WebSettings(enabled=False), resolve=names, tls=NO_TLS)
    with pytest.raises(FetchingDisabledError):
        article_at(fetcher, "http://example.org/")
    assert not names.asked


def test_proxies_and_credentials_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login reader password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with Server(answer("proxied")) as proxy, Server(answer()) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        page = page_text(fetcher_for(server), server.url())
    assert ARTICLE[0] in page
    assert not proxy.requests
    assert b"authorization" not in server.requests[0].lower()


def test_cookies_and_referrers_are_not_sent_back() -> None:
    pages: dict[str, bytes] = {}
    with Server(pages) as server:
        pages |= {
            "/": answer("", status="302 Found", Location="/page", Set_Cookie="id=1; Path=/"),
            "/page": answer(Set_Cookie="id=2"),
        }
        fetcher = fetcher_for(server)
        page_text(fetcher, server.url())
        page_text(fetcher, server.url())
    assert len(server.requests) == 4
    for request in server.requests:
        assert b"cookie" not in request.lower()
        assert b"referer" not in request.lower()


def test_the_fetcher_needs_no_pipeline_library() -> None:
    code = (
        "import sys, serving.fetch.fetcher; "
        "print([name for name in ('zenml', 'mlflow', 'datasets', 'bentoml', 'torch', 'requests') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
