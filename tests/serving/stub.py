"""Stands in for the service: the page's files, and fixed answers in the API's shape."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

PAGE = Path(__file__).resolve().parents[2] / "serving" / "page"
PREFIX = "/behind/a/proxy"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
SCORES = (0.91, 0.67, 0.12, 0.38, 0.38)  # of the passages in turn; two are tied
SUMMARY = (
    "The Ashford ferry returns on 3 May after four months.\n"
    "Repairs to its cracked hull cost £1.4 million, twice the first estimate."
)
SERVED = {"tag": "news-highlighter:26nrvixhksv32ax4", "version": "2", "mlflow_run_id": "85092d93"}
SCORED = (
    ("served", "rouge1", 56.8, 55.4, 58.4),
    ("served", "rouge2", 35.9, 34.1, 37.6),
    ("served", "rougeLsum", 51.2, 49.6, 52.8),
    ("lead3", "rouge1", 37.2, 36.0, 38.4),
    ("lead3", "rouge2", 16.8, 15.5, 18.1),
    ("lead3", "rougeLsum", 32.7, 31.2, 34.2),
)
CARD = SERVED | {
    "zenml_run": "highlighter-2026-11-20",
    "data_fingerprint": "9d41c7e0",
    "git_commit": "ea9e31a",
    "created": "2026-11-20T09:30:00+00:00",
    "parameters": 3_012_608,
    "engine": "ctranslate2",
    "evaluation": {
        "rows": 200,
        "test_fingerprint": "51b0d2aa",
        "scores": [
            dict(zip(("system", "metric", "value", "low", "high"), row, strict=True))
            for row in SCORED
        ],
        "faithfulness": [{"system": "served", "value": 1.0, "low": 1.0, "high": 1.0}],
    },
}


def answer_to(request: dict[str, Any]) -> dict[str, Any]:
    """What the service says to an article that it can read."""
    article = request.get("article") or "It was fetched.\n\nIt has two paragraphs."
    paragraphs: list[dict[str, Any]] = []
    for index, text in enumerate(article.split("\n\n")):
        start = paragraphs[-1]["end"] + 2 if paragraphs else 0
        score = SCORES[index % len(SCORES)]
        paragraphs.append(
            {"text": text, "start": start, "end": start + len(text), "score": score}
            | {"important": index in {0, 1}}
        )
    url = request.get("url")
    return {
        "summary": SUMMARY,
        "doubt": None,
        "confidence": 0.7134,
        "paragraphs": paragraphs,
        "source": url and {"url": url, "title": "The ferry & the island"},
        "counts": {
            "characters": len(article),
            "words": len(article.split()),
            "sentences": article.count(". ") + len(paragraphs),
            "windows": 1,
        },
        "truncated": {"source": False, "summary": False},
        "timing": {
            "fetch_ms": 0,
            "queue_ms": 3.1,
            "read_ms": 84.2,
            "write_ms": 412,
            "total_ms": 500,
        },
        "model": SERVED,
    }


class Stub:
    """A server on a free port of this machine.

    A test may change `answer`, the `failure` of every request or of a stream under way, and `key`.
    """

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = answer_to
        self.failure: tuple[int, dict[str, str], dict[str, Any]] | None = None
        self.stream_failure: dict[str, Any] | None = None
        self.key: str | None = None
        self.asked: list[tuple[str, dict[str, Any]]] = []

        class Handler(_Handler):
            stub = self

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}{PREFIX}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    stub: Stub

    def do_GET(self) -> None:  # noqa: N802
        path = self.path.removeprefix(PREFIX)
        file = PAGE / (path.removeprefix("/ui/") or "index.html")
        if path == "/model":
            self._json(200, CARD)
        elif path.startswith("/ui/") and file.parent == PAGE and file.is_file():
            self._send(200, TYPES[file.suffix], file.read_bytes())
        else:
            self._json(404, {"error": {"code": "not_found", "message": "No.", "field": None}})

    def do_POST(self) -> None:  # noqa: N802
        with contextlib.suppress(ConnectionError):  # a cancelled request
            self._answer()

    def _answer(self) -> None:
        path = self.path.removeprefix(PREFIX)
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.stub.asked.append((path, request))
        if self.stub.key and self.headers["Authorization"] != f"Bearer {self.stub.key}":
            self._error(401, "unauthorized", "An API key is needed.", None)
        elif self.stub.failure:
            status, headers, error = self.stub.failure
            self._json(status, {"error": error}, headers)
        elif not request.get("url", "https:").startswith("https:"):
            self._error(422, "url_not_allowed", "Only https addresses are read.", "url")
        elif path == "/summarize":
            self._json(200, self.stub.answer(request))
        else:
            self._stream(self.stub.answer(request))

    def _stream(self, answer: dict[str, Any]) -> None:
        first = {name: answer[name] for name in ("paragraphs", "source", "counts")}
        words = answer["summary"].split(" ")
        tokens = [{"text": f"{word} "} for word in words[: len(words) // 2]]
        last = {name: value for name, value in answer.items() if name not in first}
        failure = self.stub.stream_failure
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for name, data in [
            ("paragraphs", first),
            *(("token", token) for token in tokens),
            ("error", {"error": failure}) if failure else ("summary", last),
        ]:
            block = f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
            for half in (block[: len(block) // 2], block[len(block) // 2 :]):
                self.wfile.write(half)
                time.sleep(0.01)

    def _error(self, status: int, code: str, message: str, field: str | None) -> None:
        self._json(status, {"error": {"code": code, "message": message, "field": field}})

    def _json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(body).encode(), headers)

    def _send(
        self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body))} | (headers or {})
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
