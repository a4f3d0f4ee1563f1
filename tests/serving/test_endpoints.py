"""The API key protects every endpoint; the pages are open. Requests are counted by route."""

import re

import pytest
from fastapi.routing import APIRoute
from prometheus_client import generate_latest
from starlette.testclient import TestClient

from highlighter.errors import ConfigError
from serving.endpoints import router
from serving.settings import KEY_VARIABLE, read_api_key
from tests.serving.stand_in import StandIn, make_app
from tests.serving.test_errors import ask, error_of

TEXT = "One paragraph of news.\n\nAnother one."


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic right"}, 401),
        ({"authorization": "Bearer ríght"}, 401),
        ({"authorization": "Bearer right"}, 200),
        ({"authorization": "bearer right"}, 200),
        ({"x-api-key": "right"}, 200),
    ],
)
def test_api_key(headers: dict[str, str], status: int) -> None:
    app = make_app(StandIn(), api_key="right")
    encoded = {name: value.encode() for name, value in headers.items()}
    response = ask(app, json={"article": TEXT}, headers=encoded)
    assert response.status_code == status
    if status == 401:
        error_of(response)
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("prefix", ["", "/behind/a/proxy"])
def test_every_endpoint_requires_the_key_before_it_reads_the_body(prefix: str) -> None:
    app = make_app(StandIn(), api_key="right")
    client = TestClient(app, root_path=prefix)
    assert len(router.routes) >= 4
    for route in router.routes:
        assert isinstance(route, APIRoute)
        for method in route.methods:
            for path in {route.path, prefix + route.path}:
                response = client.request(method, path, content=b"not JSON")
                assert response.status_code == 401, (method, path)
                error_of(response)
    for page in ("/docs", "/openapi.json", "/ui/"):
        assert client.get(prefix + page).status_code == 200


@pytest.mark.parametrize("key", ["", " ", "right\n", "two words", "ríght"])
def test_a_key_that_no_client_can_send_is_refused(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty one, of a secret that is missing, would open the service."""
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(ConfigError, match=KEY_VARIABLE):
        read_api_key()


def test_requests_are_counted_by_route_and_unknown_paths_together() -> None:
    def count(path: str) -> int:
        pattern = rf'highlighter_requests_total{{outcome="[^"]+",path="{path}"}} ([0-9.]+)'
        return sum(int(float(n)) for n in re.findall(pattern, generate_latest().decode()))

    client = TestClient(make_app(StandIn()), root_path="/prefix")
    before = {path: count(path) for path in ("/summarize", "/model", "other")}
    client.post("/prefix/summarize", json={"article": TEXT})
    client.get("/model")
    client.get("/unknown/1")
    client.get("/prefix/unknown/2")
    assert {path: count(path) - n for path, n in before.items()} == {
        "/summarize": 1,
        "/model": 1,
        "other": 2,
    }
    assert "unknown" not in generate_latest().decode()
