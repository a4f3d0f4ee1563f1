"""Requests that succeed, the slots they hold, and clients that disconnect."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tests.serving.asgi import Client
from tests.serving.stand_in import StandIn, make_app

TEXT = "One paragraph of news.\n\nAnother one."


def events_of(text: str) -> list[tuple[str, Any]]:
    """Return a stream's events as a browser parses them."""
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(e.removeprefix("event: "), json.loads(d.removeprefix("data: "))) for e, d in blocks]


def test_article_and_options_reach_the_summarizer() -> None:
    summarizer = StandIn()
    body = {"article": TEXT, "top_k": 2, "threshold": 0.25, "max_summary_tokens": 20}
    answer = TestClient(make_app(summarizer)).post("/summarize", json=body).json()
    assert summarizer.asked[0].model_dump() == body
    assert answer["summary"] == "One paragraph of news."
    assert [p["text"] for p in answer["paragraphs"]] == TEXT.split("\n\n")
    assert answer["source"] is None
    assert answer["model"] == {
        "tag": "news-highlighter:abc",
        "version": "7",
        "mlflow_run_id": "run",
    }
    times = answer["timing"]
    parts = sum(times[f"{step}_ms"] for step in ("fetch", "queue", "read", "write"))
    assert parts == pytest.approx(times["total_ms"])
    assert times["fetch_ms"] == 0


def test_url_is_fetched_and_named_in_the_answer() -> None:
    summarizer = StandIn()
    client = TestClient(make_app(summarizer))
    answer = client.post("/summarize", json={"url": "https://example.org"}).json()
    assert summarizer.asked[0].article == "Fetched text.\n\nMore of it."
    assert answer["source"] == {"url": "https://example.org/moved", "title": "A title"}


@pytest.mark.parametrize(
    "text",
    [
        "日本語の記事。",
        "Ärger über \u202eBidi",
        "a\u0000b\u0007c",
        "🙂" * 50,
        "e\u0301" * 9,
        "\ufeffx",
    ],
)
def test_text_reaches_the_summarizer_unchanged(text: str) -> None:
    summarizer = StandIn()
    response = TestClient(make_app(summarizer)).post("/summarize", json={"article": text})
    assert response.status_code == 200
    assert summarizer.asked[0].article == text


def test_article_that_the_summarizer_fails_on_is_one_failed_entry_of_a_batch() -> None:
    summarizer = StandIn(failure=RuntimeError("a secret"), failing="Bad.")
    articles = [{"article": "Good."}, {"article": "Bad."}, {"article": "Fine."}]
    response = TestClient(make_app(summarizer)).post(
        "/summarize_batch", json={"articles": articles}
    )
    assert response.status_code == 200
    good, bad, fine = response.json()["articles"]
    assert (good["result"]["summary"], fine["result"]["summary"]) == ("Good.", "Fine.")
    assert (bad["error"]["code"], bad["error"]["field"]) == ("internal_error", "articles.1")
    assert "secret" not in response.text


def test_batch_entries_are_in_order_and_fail_separately() -> None:
    entries = [
        {"article": TEXT},
        {"article": " "},
        {"top_k": 3},
        {"article": "Last.", "top_k": 99},
        {},
    ]
    client = TestClient(make_app(StandIn()))
    response = client.post("/summarize_batch", json={"articles": [*entries, {"article": "Good."}]})
    assert response.status_code == 200
    answers = response.json()["articles"]
    assert [bool(a["result"]) for a in answers] == [True, False, False, False, False, True]
    assert answers[5]["result"]["summary"] == "Good."
    assert [a["error"]["code"] for a in answers[1:5]] == ["article_empty"] + ["invalid_request"] * 3
    assert answers[1]["error"]["field"] == "articles.1.article"
    assert answers[3]["error"]["field"] == "articles.3.top_k"


def test_batch_with_too_many_articles_is_refused() -> None:
    """Also if it would never be accepted because a client may not have so many in progress."""
    for limit in ("batch_articles", "articles_per_client", "articles_at_once"):
        client = TestClient(make_app(StandIn(), **{limit: 2}))
        [permitted, refused] = [
            client.post("/summarize_batch", json={"articles": [{"article": TEXT}] * number})
            for number in (2, 3)
        ]
        assert permitted.status_code == 200
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "too_many_articles")
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
        assert schemas["BatchRequest"]["properties"]["articles"]["maxItems"] == 2


def test_stream_sends_paragraphs_then_tokens_then_the_summary() -> None:
    response = TestClient(make_app(StandIn())).post("/summarize/stream", json={"article": TEXT})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    assert [name for name, _ in events] == ["paragraphs", *["token"] * 4, "summary"]
    assert [p["text"] for p in events[0][1]["paragraphs"]] == TEXT.split("\n\n")
    assert (
        " ".join(data["text"] for name, data in events if name == "token")
        == TEXT.partition("\n")[0]
    )
    last = events[-1][1]
    assert last["summary"] == "One paragraph of news."
    assert last["model"]["version"] == "7"
    assert "paragraphs" not in last


def test_documentation_examples_work_and_no_other_host_is_used() -> None:
    client = TestClient(make_app(StandIn()))
    page = client.get("/", follow_redirects=True).text
    assert "http://" not in page
    assert "https://" not in page
    for asset in ("swagger/swagger-ui-bundle.js", "swagger/swagger-ui.css"):
        assert asset in page
        assert client.get(f"/{asset}").status_code == 200
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for path, name in (("/summarize", "SummarizeRequest"), ("/summarize_batch", "BatchRequest")):
        for example in schemas[name]["examples"]:
            assert client.post(path, json=example).status_code == 200


def test_model_endpoint_returns_the_card() -> None:
    card = TestClient(make_app(StandIn())).get("/model").json()
    assert card["version"] == "7"
    assert card["evaluation"]["rows"] == 1


def test_slots_are_limited_and_released() -> None:
    summarizer = StandIn(seconds=0.3)
    app = make_app(summarizer, articles_at_once=2)
    transport = httpx.ASGITransport(app)

    async def rush() -> tuple[list[int], int]:
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            asked = [client.post("/summarize", json={"article": TEXT}) for _ in range(5)]
            crowd = await asyncio.gather(*asked)
            later = await client.post("/summarize", json={"article": TEXT})
        for response in crowd:
            assert (response.status_code == 429) == ("retry-after" in response.headers)
        return sorted(response.status_code for response in crowd), later.status_code

    assert asyncio.run(rush()) == ([200, 200, 429, 429, 429], 200)


@pytest.mark.parametrize(
    ("path", "reads_first"),
    [("/summarize", False), ("/summarize/stream", False), ("/summarize/stream", True)],
)
def test_disconnected_client_releases_its_slot(path: str, reads_first: bool) -> None:
    """Disconnect before the answer, or after a stream's first event."""
    summarizer = StandIn(seconds=0.0 if reads_first else 30.0, pause=30.0)
    app = make_app(summarizer, articles_at_once=1)
    client = Client({"article": TEXT}, path)

    async def disconnect() -> int:
        task = client.start(app)
        async with asyncio.timeout(5):
            while not (client.sent if reads_first else summarizer.asked):
                await asyncio.sleep(0.01)
            client.disconnected.set()
            await task
        used: int = app.state.runtime.handler.slots.used
        return used

    assert asyncio.run(disconnect()) == 0
    assert len(summarizer.asked) == 1
    assert summarizer.finished == reads_first
    assert client.status == (200 if reads_first else 499)
