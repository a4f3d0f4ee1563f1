"""The pages, the OpenAPI document, and paths and methods that do not exist."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.stand_in import StandIn, make_app


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(make_app(StandIn(), article_characters=2000, batch_articles=3))


@pytest.fixture(scope="module")
def document(client: TestClient) -> Any:
    return client.get("/openapi.json").json()


def test_openapi_document_states_the_configured_limits(document: Any) -> None:
    schemas = document["components"]["schemas"]
    article = schemas["SummarizeRequest"]["properties"]["article"]["anyOf"][0]
    assert article["maxLength"] == 2000
    assert schemas["BatchRequest"]["properties"]["articles"]["maxItems"] == 3
    assert [choice["required"] for choice in schemas["SummarizeRequest"]["oneOf"]] == [
        ["article"],
        ["url"],
    ]


def test_openapi_document_works_behind_a_prefix_and_declares_the_key(document: Any) -> None:
    assert document["servers"] == [{"url": "."}]
    schemes = document["components"]["securitySchemes"]
    assert {(s["type"], s.get("scheme", s.get("name"))) for s in schemes.values()} == {
        ("http", "bearer"),
        ("apiKey", "X-API-Key"),
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            assert [list(choice) for choice in operation["security"]] == [
                [name] for name in schemes
            ]


@pytest.mark.parametrize("prefix", ["", "/behind/a/proxy"])
@pytest.mark.parametrize("path", ["/", "/docs", "/ui", "/ui/", "/ui/page.js", "/openapi.json"])
def test_pages_answer_head_as_get_without_a_body(prefix: str, path: str) -> None:
    client = TestClient(make_app(StandIn()), root_path=prefix, follow_redirects=False)
    got, head = client.get(prefix + path), client.head(prefix + path)
    assert got.status_code < 400
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers.get("location") == got.headers.get("location")


def test_pages_refer_to_nothing_with_an_absolute_path(client: TestClient) -> None:
    for path in ("/docs", "/ui/"):
        page = client.get(path).text
        assert re.findall(r"""(?:src|href|url)[=:] ?["'](?=/|https?:)""", page) == []
        assert client.get(path).headers["content-security-policy"] == "frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/summarize", "POST"),
        ("HEAD", "/summarize/stream", "POST"),
        ("TRACE", "/summarize_batch", "POST"),
        ("DELETE", "/model", "GET"),
        ("POST", "/docs", "GET, HEAD"),
        ("PUT", "/metrics", "GET, HEAD"),
    ],
)
def test_wrong_method_names_the_allowed_ones(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/nothing", "/schema.json", "/docs.json", "/ui/nothing"])
def test_unknown_paths_have_the_services_error_format(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


def test_unknown_paths_do_not_grow_the_metrics(client: TestClient) -> None:
    client.get("/unknown/first")
    before = client.get("/metrics").text
    for number in range(50):
        client.get(f"/unknown/{number}")
        client.request("METHOD" + str(number), "/summarize")
    after = client.get("/metrics").text
    assert len(after.splitlines()) <= len(before.splitlines()) + 3
    assert "unknown" not in after
