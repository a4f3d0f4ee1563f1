"""Every failure has the one format and the right status, and its message says what to do."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from serving.fetch.errors import NoArticleError, PageTooLargeError, UrlTimeoutError, WebError
from serving.schemas import BatchRequest, SummarizeRequest
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


OPTIONS = "top_k, threshold, max_summary_tokens, article, url"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("", {"article": TEXT, "topk": 1}, f"There is no field topk: the fields are {OPTIONS}"),
        ("", {"text": TEXT}, f"There is no field text: the fields are {OPTIONS}"),
        ("", {"article": 5}, "article: give a string, or null"),
        ("", {"article": TEXT, "top_k": 0}, "top_k: give an integer from 1 to 50, or null"),
        ("", {"article": TEXT, "top_k": 1.5}, "top_k: give an integer from 1 to 50, or null"),
        ("", {"article": TEXT, "top_k": True}, "top_k: give an integer from 1 to 50, or null"),
        ("", {"article": TEXT, "threshold": "1"}, "threshold: give a number from 0 to 1, or null"),
        ("", {"url": "x" * 2001}, "url: give a string of at most 2,000 characters, or null"),
        ("", {}, "Error in the body: give either `article` or `url`"),
        ("_batch", {}, "articles: give a list of at least one JSON object"),
        ("_batch", {"articles": []}, "articles: give a list of at least one JSON object"),
        ("_batch", {"articles": [5]}, "articles.0: give a JSON object"),
        (
            "_batch",
            {"articles": [{}], "top_k": 1},
            "There is no field top_k: the fields are articles",
        ),
    ],
)
def test_messages_name_the_field_and_what_is_allowed(path: str, body: Any, message: str) -> None:
    for suffix in (path,) if path else ("", "/stream"):
        error = error_of(ask(make_app(StandIn()), f"/summarize{suffix}", json=body))
        assert error["message"] == f"{message}."


def test_an_entry_of_a_batch_has_the_same_messages() -> None:
    entries = [{"article": TEXT, "topk": 1}, {"article": TEXT, "top_k": 99}, {}]
    response = ask(make_app(StandIn()), "/summarize_batch", json={"articles": entries})
    assert [entry["error"]["message"] for entry in response.json()["articles"]] == [
        f"There is no field topk: the fields are {OPTIONS}.",
        "top_k: give an integer from 1 to 50, or null.",
        "article: give either `article` or `url`.",
    ]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", JSON, 400, "invalid_json"),
        (b"", JSON, 400, "invalid_json"),
        (b"\xff\xfe", JSON, 400, "invalid_json"),
        (b'{"article": "\xff"}', JSON, 400, "invalid_json"),
        (b'{"top_k": ' + b"9" * 5_000 + b"}", JSON, 400, "invalid_json"),
        (b'{"article": ' + b"[" * 4_900 + b"]" * 4_900 + b"}", JSON, 400, "invalid_json"),
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


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (SummarizeRequest, {f"field {number}": 1 for number in range(1000)}),
        (BatchRequest, {f"field {number}": 1 for number in range(1000)} | {"articles": [{}]}),
        (BatchRequest, {"articles": [5] * 1000}),
    ],
)
def test_a_body_of_errors_is_refused_for_the_first(
    model: type[SummarizeRequest | BatchRequest], body: dict[str, Any]
) -> None:
    """Describing every error of a permitted body took 2.4 s, in which nobody was answered."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    assert caught.value.error_count() <= 2


def test_body_without_content_length_is_counted_while_it_arrives() -> None:
    chunks = iter([b'{"article": "', *[b"x" * 1000] * 30, b'"}'])
    response = ask(make_app(StandIn(), body_bytes=10_000), content=chunks, headers=JSON)
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"x-api-key": "right", "content-type": "text/plain"}, 415)]
)
def test_a_body_that_is_refused_at_once_is_still_received(
    headers: dict[str, str], status: int
) -> None:
    """Otherwise TCP resets the connection, and the client does not see why."""
    received: list[int] = []

    def body() -> Iterator[bytes]:
        for _ in range(20):
            received.append(10_000)
            yield b"x" * 10_000

    response = ask(make_app(StandIn(), api_key="right"), content=body(), headers=headers)
    assert response.status_code == status
    assert response.headers["connection"] == "close"
    assert error_of(response)
    assert sum(received) == 200_000


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
