"""Servers that misbehave: slow, endless, oversized, wrong or cut off."""

import asyncio
import contextlib
import gzip
import socket
import time
import tracemalloc
import zlib
from itertools import count

import pytest

from serving.fetch.decoding import decompress
from serving.fetch.errors import PageTooLargeError, WebError
from serving.fetch.limits import FetchSlots
from tests.serving.fetch.servers import (
    ARTICLE,
    PAGE,
    Behavior,
    Server,
    answer,
    code_of,
    endless,
    fetcher_for,
    page_text,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("start", "data", "pause"),
    [
        (b"", b"", 0.1),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", 0.02),
        (HEAD + b"\r\n<html>", b" ", 0.02),
        (HEAD + b"Content-Length: 90000\r\n\r\n", b" ", 0.02),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.02),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02),
    ],
    ids=["silent", "headers", "until close", "with length", "chunked", "informational"],
)
def test_a_slow_drip_runs_out_of_time(start: bytes, data: bytes, pause: float) -> None:
    with endless(data, pause) as drip:

        def behave(connection: socket.socket, request: bytes) -> None:
            connection.sendall(start)
            drip(connection, request)

        with Server(behave) as server:
            began = time.monotonic()
            assert code_of(fetcher_for(server, timeout_seconds=0.4), server.url()) == "url_timeout"
            assert 0.3 < time.monotonic() - began < 2


def test_the_time_limit_includes_all_hops() -> None:
    def behave(connection: socket.socket, _: bytes) -> None:
        time.sleep(0.3)
        connection.sendall(answer("", status="302 Found", Location="/"))

    with Server(behave) as server:
        began = time.monotonic()
        assert code_of(fetcher_for(server, timeout_seconds=0.7), server.url()) == "url_timeout"
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("start", "data", "expected"),
    [
        (HEAD + b"\r\n", b"<p>more</p>" * 900, "page_too_large"),
        (CHUNKED, b"400\r\n" + b"a" * 1024 + b"\r\n", "page_too_large"),
        (CHUNKED, b"a" * 1024, "url_unreachable"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"a" * 500 + b"\r\n", "page_too_large"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a" * 1000, "page_too_large"),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "page_too_large"),
    ],
    ids=["until close", "chunked", "chunk size", "headers", "header line", "informational"],
)
def test_an_answer_without_end_is_cut_off(start: bytes, data: bytes, expected: str) -> None:
    with endless(data) as flood:

        def behave(connection: socket.socket, request: bytes) -> None:
            connection.sendall(start)
            flood(connection, request)

        with Server(behave) as server:
            fetcher = fetcher_for(server, max_bytes=200_000, timeout_seconds=10)
            assert code_of(fetcher, server.url()) == expected


@pytest.mark.parametrize(
    ("size", "expected"), [(100_000, ""), (100_001, "page_too_large"), (10**12, "page_too_large")]
)
def test_size_of_a_body(size: int, expected: str) -> None:
    head = HEAD + f"Content-Length: {size}\r\n\r\n".encode()
    with Server(head + b"a" * min(size, 100_001)) as server:
        assert code_of(fetcher_for(server, max_bytes=100_000), server.url()) == expected


def test_size_of_headers() -> None:
    for size, expected in ((20_000, ""), (70_000, "page_too_large")):
        with Server(answer(X_Long="a" * size)) as server:
            assert code_of(fetcher_for(server), server.url()) == expected


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


TEXT = PAGE.encode()
PACKED = gzip.compress(TEXT, mtime=0)


@pytest.mark.parametrize(
    ("body", "coding", "expected"),
    [
        (PACKED, "gzip", ""),
        (PACKED, "X-GZIP", ""),
        (gzip.compress(TEXT[:50], mtime=0) + gzip.compress(TEXT[50:], mtime=0), "gzip", ""),
        (PACKED + b"\0" * 20, "gzip", ""),
        (zlib.compress(TEXT), "deflate", ""),
        (raw_deflate(TEXT), "deflate", ""),
        (TEXT, "identity", ""),
        (TEXT, "utf-8", ""),
        (TEXT, "none, UTF-8, binary", ""),
        (PACKED, "gzip, utf-8", ""),
        (PACKED, "none\r\nContent-Encoding: gzip", ""),
        (PACKED[:-9], "gzip", "url_unreachable"),
        (PACKED[:30] + b"\xff" * 30 + PACKED[60:], "gzip", "url_unreachable"),
        (TEXT, "gzip", "url_unreachable"),
        (b"", "gzip", "url_unreachable"),
        (b"x", "deflate", "url_unreachable"),
        (TEXT, "br", "page_not_html"),
        (TEXT, "zstd", "page_not_html"),
        (TEXT, "compress", "page_not_html"),
        (gzip.compress(PACKED, mtime=0), "gzip, gzip", "page_not_html"),
        (PACKED, "gzip\r\nContent-Encoding: gzip", "page_not_html"),
    ],
    # By number, because gzip stores the time and every test process must see the same names.
    ids=count(),
)
def test_content_codings(body: bytes, coding: str, expected: str) -> None:
    with Server(answer(body, Content_Encoding=coding)) as server:
        fetcher = fetcher_for(server)
        assert code_of(fetcher, server.url()) == expected
        if not expected:
            assert page_text(fetcher, server.url()) == PAGE


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_takes_little_memory(coding: str) -> None:
    zeros = bytes(60_000_000)
    bomb = gzip.compress(zeros, 1) if coding == "gzip" else zlib.compress(zeros, 1)
    del zeros
    tracemalloc.start()
    try:
        with pytest.raises(PageTooLargeError):
            decompress(bomb, [coding], 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_on_the_wire() -> None:
    with Server(answer(gzip.compress(bytes(20_000_000), 1), Content_Encoding="gzip")) as server:
        assert code_of(fetcher_for(server), server.url()) == "page_too_large"


def test_an_endless_series_of_empty_gzip_members_is_cut_off() -> None:
    with endless(gzip.compress(b"") * 100) as flood:

        def behave(connection: socket.socket, request: bytes) -> None:
            connection.sendall(HEAD + b"Content-Encoding: gzip\r\n\r\n")
            flood(connection, request)

        with Server(behave) as server:
            fetcher = fetcher_for(server, max_bytes=100_000)
            assert code_of(fetcher, server.url()) == "page_too_large"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/html", ""),
        ("TEXT/HTML; charset=utf-8", ""),
        ("application/xhtml+xml", ""),
        ("text/plain", ""),
        ("application/json", "page_not_html"),
        ("application/pdf", "page_not_html"),
        ("image/png", "page_not_html"),
        ("text/html2", "page_not_html"),
        ("text/xml", "page_not_html"),
        ("", "page_not_html"),
        (None, "page_not_html"),
    ],
)
def test_content_types(content_type: str | None, expected: str) -> None:
    with Server(answer(content_type=content_type)) as server:
        assert code_of(fetcher_for(server), server.url()) == expected


@pytest.mark.parametrize(
    "status", ["404 Not Found", "401 Who", "500 Oops", "204 No Content", "206 Part", "304 Same"]
)
def test_only_status_200_is_a_page(status: str) -> None:
    body = "" if status[:3] in {"204", "304"} else PAGE
    with Server(answer(body, status=status)) as server:
        assert code_of(fetcher_for(server), server.url()) == "url_unreachable"


def reset(connection: socket.socket, _: bytes) -> None:
    linger = b"\1\0\0\0\0\0\0\0"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


@pytest.mark.parametrize(
    "behavior",
    [
        pytest.param(reset, id="reset"),
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<html>" + TEXT,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n",
        HEAD + b"Content-Length: 5000\r\n\r\n<html>",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n<html>",
        HEAD + b"Content-Length: -5\r\n\r\n<html>",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<html",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n<html",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n<html>",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ],
    ids=str,
)
def test_broken_answers(behavior: bytes | Behavior) -> None:
    with Server(behavior) as server:
        assert code_of(fetcher_for(server, timeout_seconds=3), server.url()) == "url_unreachable"


def test_informational_answers_are_skipped() -> None:
    with Server(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer()) as server:
        assert ARTICLE[0] in page_text(fetcher_for(server), server.url())


def test_every_error_has_a_stable_code() -> None:
    kinds = WebError.__subclasses__()
    codes = {kind.code for kind in kinds if kind.__module__.startswith("serving")}
    assert codes == {
        "url_fetching_disabled",
        "url_not_allowed",
        "url_unreachable",
        "url_timeout",
        "page_too_large",
        "page_not_html",
        "no_article",
    }


async def has_slot(slots: FetchSlots, client: str, host: str) -> bool:
    try:
        async with asyncio.timeout(0.05), slots.hold(client, host):
            return True
    except TimeoutError:
        return False


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([("a", "h")], {"a h": True}),
        ([("a", "h"), ("a", "i")], {"a j": False, "b j": True, "b h": True}),
        ([("a", "h"), ("b", "h"), ("c", "h")], {"d h": False, "a i": True}),
        ([("a", "h"), ("b", "i"), ("c", "h"), ("d", "i"), ("e", "j")], {"f k": False}),
    ],
    ids=["free", "client", "host", "all"],
)
def test_a_fetch_waits_for_a_slot(held: list[tuple[str, str]], expected: dict[str, bool]) -> None:
    async def test() -> None:
        slots = FetchSlots(at_once=5, per_client=2, per_host=3)
        async with contextlib.AsyncExitStack() as stack:
            for client, host in held:
                await stack.enter_async_context(slots.hold(client, host))
            # Those that wait for their client's slot leave the others' alone.
            waiting = [asyncio.create_task(has_slot(slots, *held[0])) for _ in range(9)]
            for who, free in expected.items():
                assert await has_slot(slots, *who.split()) is free, who
            await asyncio.gather(*waiting)
        for who in expected:
            assert await has_slot(slots, *who.split()), who

    asyncio.run(test())


def test_slots_of_earlier_clients_take_no_memory() -> None:
    async def test() -> None:
        slots = FetchSlots()
        tracemalloc.start()
        for number in range(10_000):
            async with slots.hold(f"client {number}", f"host {number}"):
                pass
        assert tracemalloc.get_traced_memory()[0] < 100_000

    try:
        asyncio.run(test())
    finally:
        tracemalloc.stop()
