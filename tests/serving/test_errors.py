"""Every failure has the one format and the right status, and its message says what to do."""

import gzip
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.fetch.errors import NoArticleError, PageTooLargeError, UrlTimeoutError, WebError
from tests.serving.stand_in import Pages, StandIn, make_app

JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}
TEXT = "One paragraph of news.\n\nAnother one."


def ask(app: Any, path: str = "/summarize", **options: Any) -> Any:
    client = TestClient(app, raise_server_exceptions=False)
    return client.post(path, **options)


def error_of(response: Any) -> dict[str, Any]:
    """Return the body's error; the body must hold nothing else."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field"}
    assert "Traceback" not in response.text
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize("path", ["/summarize", "/summarize/stream"])
@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 422, "invalid_request", None),
        ({"article": TEXT, "url": "https://example.org"}, 422, "invalid_request", None),
        ({"article": ""}, 422, "article_empty", "article"),
        ({"article": " \n\t\u2003 "}, 422, "article_empty", "article"),
        ({"article": "\u200b\n\n\ufeff"}, 422, "article_empty", "article"),
        ({"article": "\u00ad\u2060 \u200e\u3164"}, 422, "article_empty", "article"),
        ({"article": None}, 422, "invalid_request", None),
        ({"article": 5}, 422, "invalid_request", "article"),
        ({"article": [TEXT]}, 422, "invalid_request", "article"),
        ({"article": TEXT, "top_k": 0}, 422, "invalid_request", "top_k"),
        ({"article": TEXT, "top_k": 51}, 422, "invalid_request", "top_k"),
        ({"article": TEXT, "top_k": "many"}, 422, "invalid_request", "top_k"),
        ({"article": TEXT, "top_k": True}, 422, "invalid_request", "top_k"),
        ({"article": TEXT, "top_k": "3"}, 422, "invalid_request", "top_k"),
        ({"article": TEXT, "threshold": True}, 422, "invalid_request", "threshold"),
        ({"article": TEXT, "threshold": 1.5}, 422, "invalid_request", "threshold"),
        ({"article": TEXT, "max_summary_tokens": 7}, 422, "invalid_request", "max_summary_tokens"),
        ({"article": TEXT, "topk": 1}, 422, "invalid_request", "topk"),
        ({"article": "x" * 2001}, 413, "article_too_long", "article"),
        ({"url": "https://example.org/" + "x" * 2000}, 422, "invalid_request", "url"),
        ([], 400, "invalid_json", None),
        ("article", 400, "invalid_json", None),
        (5, 400, "invalid_json", None),
    ],
)
def test_bad_requests(path: str, body: Any, status: int, code: str, field: str | None) -> None:
    summarizer = StandIn()
    response = ask(make_app(summarizer, article_characters=2000), path, json=body)
    error = error_of(response)
    assert (response.status_code, error["code"], error["field"]) == (status, code, field)
    assert summarizer.asked == []


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", JSON, 400, "invalid_json"),
        (b"", JSON, 400, "invalid_json"),
        (b"\xff\xfe", JSON, 400, "invalid_json"),
        (b'{"article": "half: \\ud83d"}', JSON, 422, "article_not_unicode"),
        (b'{"url": "https://a.example/\\ud83d"}', JSON, 422, "invalid_request"),
        (b'{"\\ud83d": 1, "article": "text"}', JSON, 422, "invalid_request"),
        (b'{"' + b"x" * 9_000 + b'": 1, "article": "text"}', JSON, 422, "invalid_request"),
        (gzip.compress(b'{"article": "a"}', mtime=0), JSON | GZIP, 415, "compressed_body"),
        (b'{"article": "text"}', {"content-type": "text/plain"}, 415, "not_json"),
        (b'{"article": "text"}', {}, 415, "not_json"),
        (b'{"article": "' + b"x" * 20_000 + b'"}', JSON, 413, "body_too_large"),
    ],
)
def test_bad_bodies(content: bytes, headers: dict[str, str], status: int, code: str) -> None:
    response = ask(make_app(StandIn(), body_bytes=10_000), content=content, headers=headers)
    assert (response.status_code, error_of(response)["code"]) == (status, code)
    assert len(response.text) < 1000


def test_body_without_content_length_is_counted_while_it_arrives() -> None:
    chunks = iter([b'{"article": "', *[b"x" * 1000] * 30, b'"}'])
    response = ask(make_app(StandIn(), body_bytes=10_000), content=chunks, headers=JSON)
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (NoArticleError("no article"), 422),
        (PageTooLargeError("too large"), 413),
        (UrlTimeoutError("slow"), 504),
    ],
)
def test_failed_fetch_is_an_error_of_the_field_url(failure: WebError, status: int) -> None:
    app = make_app(StandIn(), fetcher=Pages(failure))
    for path in ("/summarize", "/summarize/stream"):
        response = ask(app, path, json={"url": "https://example.org"})
        assert response.status_code == status
        assert error_of(response) == {"code": failure.code, "message": str(failure), "field": "url"}


def test_unexpected_exceptions_are_not_disclosed() -> None:
    summarizer = StandIn(failure=RuntimeError("secret"))
    for path in ("/summarize", "/summarize/stream"):
        response = ask(make_app(summarizer), path, json={"article": TEXT})
        assert (response.status_code, error_of(response)["code"]) == (500, "internal_error")
        assert "secret" not in response.text


def test_slow_summarizer_is_a_timeout() -> None:
    summarizer = StandIn(seconds=0.5)
    for path in ("/summarize", "/summarize/stream"):
        response = ask(make_app(summarizer, timeout_seconds=0.05), path, json={"article": TEXT})
        assert (response.status_code, error_of(response)["code"]) == (504, "timeout")
