"""Every event is one JSON line of bounded length, without tracebacks and texts of articles."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from highlighter.errors import ConfigError
from serving.logs import configure_logging
from tests.serving.stand_in import StandIn, make_app

TEXT = "One paragraph of news.\n\nAnother one."


@contextmanager
def logging_to_stdout() -> Iterator[None]:
    """Configure logging as the service does; a fixture would see another standard output."""
    root = logging.getLogger()
    before = list(root.handlers), root.level
    configure_logging()
    try:
        yield
    finally:
        root.handlers, root.level = before
        logging.captureWarnings(False)


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_request_is_logged_as_one_line_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    client = TestClient(make_app(StandIn()))
    with logging_to_stdout():
        client.post("/summarize", json={"article": TEXT}, headers={"x-request-id": "mine-1"})
        response = client.post("/summarize", json={}, headers={"x-request-id": "bad id\n"})
        client.get("/" + "long" * 1000)
    lines = lines_of(capsys)
    assert [line["status"] for line in lines] == [200, 422, 404]
    assert lines[0]["request_id"] == "mine-1"
    assert lines[1]["request_id"] == response.headers["x-request-id"] != "bad id\n"
    assert "paragraph of news" not in json.dumps(lines)
    assert len(json.dumps(lines[2])) < 1000


def test_exception_is_one_line_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    app = make_app(StandIn(failure=RuntimeError(f"can't read {TEXT}")))
    client = TestClient(app, raise_server_exceptions=False)
    with logging_to_stdout():
        assert client.post("/summarize_batch", json={"articles": [{"article": TEXT}]}).is_success
    failure, request = lines_of(capsys)
    assert (failure["level"], failure["message"]) == ("ERROR", "an article of a batch failed")
    assert failure["exc_info"].startswith("RuntimeError at ")
    assert "stand_in.py" in failure["exc_info"]
    assert "paragraph of news" not in json.dumps(failure)
    assert request["status"] == 200


def test_libraries_log_in_the_same_format(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stdout():
        for name in ("bentoml.serve", "uvicorn.error", "some.library"):
            logging.getLogger(name).warning("x" * 5000)
        try:
            raise ConfigError("serving.yaml: no such file.")
        except ConfigError:
            logging.getLogger("bentoml").exception("failed")
    lines = lines_of(capsys)
    assert [line["logger"] for line in lines] == [
        "bentoml.serve",
        "uvicorn.error",
        "some.library",
        "bentoml",
    ]
    assert all(len(line["message"]) <= 500 for line in lines)
    assert lines[3]["exc_info"].startswith("ConfigError: serving.yaml: no such file. at ")
