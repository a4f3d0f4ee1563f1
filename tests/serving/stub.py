"""A stand-in for the service: the page's files, and fixed answers built from the API's models."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel

from highlighter.evaluation.record import SYSTEMS
from highlighter.inference.answers import Counts, Paragraph, Truncated
from highlighter.model.checkpoint import EvaluationSummary, Score
from serving.errors import ErrorBody, ErrorDetail
from serving.schemas import (
    ModelCard,
    ServedModel,
    Source,
    SummarizeRequest,
    SummarizeResponse,
    Timing,
)

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
SERVED = ServedModel(tag="news-highlighter:26nrvixhksv32ax4", version="2", mlflow_run_id="85092d93")
ROUGE = {"rouge1": 56.8, "rouge2": 35.9, "rougeL": 47.3, "rougeLsum": 51.2}
CARD = ModelCard(
    **SERVED.model_dump(),
    zenml_run="highlighter-2026-11-20",
    data_fingerprint="9d41c7e0",
    git_commit="ea9e31a",
    created="2026-11-20T09:30:00+00:00",
    parameters=3_012_608,
    engine="ctranslate2",
    evaluation=EvaluationSummary(
        rows=200,
        test_fingerprint="51b0d2aa",
        scores=[
            Score(system=system, metric=metric, value=value, low=value - 1.4, high=value + 1.6)
            for system in SYSTEMS
            for metric, value in ROUGE.items()
        ],
        faithfulness=[
            Score(system=system, metric="faithfulness", value=0.98, low=0.97, high=1.0)
            for system in SYSTEMS
        ],
    ),
)


def answer_to(request: SummarizeRequest) -> SummarizeResponse:
    """Return an answer whose paragraphs are the request's and whose scores are `SCORES`."""
    article = request.article or "It was fetched.\n\nIt has two paragraphs."
    paragraphs: list[Paragraph] = []
    for index, text in enumerate(article.split("\n\n")):
        start = paragraphs[-1].end + 2 if paragraphs else 0
        paragraphs.append(
            Paragraph(
                text=text,
                start=start,
                end=start + len(text),
                score=SCORES[index % len(SCORES)],
                important=index in {0, 1},
            )
        )
    return SummarizeResponse(
        summary=SUMMARY,
        doubt=None,
        confidence=0.7134,
        paragraphs=paragraphs,
        source=Source(url=request.url, title="The ferry & the island") if request.url else None,
        counts=Counts(
            characters=len(article),
            words=len(article.split()),
            sentences=article.count(". ") + len(paragraphs),
            windows=1,
        ),
        truncated=Truncated(source=False, summary=False),
        facts_checked=True,
        timing=Timing(fetch_ms=0, queue_ms=3.1, read_ms=84.2, write_ms=412, total_ms=500),
        model=SERVED,
    )


class Stub:
    """A server on a free local port.

    Attributes:
        address: of the service, with a path prefix.
        answer: returns the answer to a valid request; tests replace it.
        failure: status, headers and body of every answer, if set.
        stream_failure: body of an error event in the middle of every stream, if set.
        key: the API key that requests need, if set.
        requests: path and body of each POST request so far.
    """

    def __init__(self) -> None:
        self.answer: Callable[[SummarizeRequest], SummarizeResponse] = answer_to
        self.failure: tuple[int, dict[str, str], ErrorBody] | None = None
        self.stream_failure: ErrorBody | None = None
        self.key: str | None = None
        self.requests: list[tuple[str, SummarizeRequest]] = []

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


def error(code: str, message: str, field: str | None = None) -> ErrorBody:
    """Return the body of a failure."""
    return ErrorBody(error=ErrorDetail(code=code, message=message, field=field))


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
            self._json(404, error("not_found", "No."))

    def do_POST(self) -> None:  # noqa: N802
        with contextlib.suppress(ConnectionError):  # a cancelled request
            self._answer()

    def _answer(self) -> None:
        path = self.path.removeprefix(PREFIX)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = SummarizeRequest.model_validate_json(body)
        self.stub.requests.append((path, request))
        if self.stub.key and self.headers["Authorization"] != f"Bearer {self.stub.key}":
            self._json(401, error("unauthorized", "An API key is needed."))
        elif self.stub.failure:
            status, headers, failure = self.stub.failure
            self._json(status, failure, headers)
        elif request.url and not request.url.startswith("https:"):
            self._json(422, error("url_not_allowed", "Only https addresses are read.", "url"))
        elif path == "/summarize":
            self._json(200, self.stub.answer(request))
        else:
            self._stream(self.stub.answer(request))

    def _stream(self, answer: SummarizeResponse) -> None:
        first = {"paragraphs", "source", "counts"}
        words = answer.summary.split(" ")
        failure = self.stub.stream_failure
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for name, data in [
            ("paragraphs", answer.model_dump(include=first)),
            *(("token", {"text": f"{word} "}) for word in words[: len(words) // 2]),
            ("error", failure.model_dump())
            if failure
            else ("summary", answer.model_dump(exclude=first)),
        ]:
            block = f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
            for half in (block[: len(block) // 2], block[len(block) // 2 :]):
                self.wfile.write(half)
                time.sleep(0.01)

    def _json(self, status: int, body: BaseModel, headers: dict[str, str] | None = None) -> None:
        # No warnings, because a test sends a doubt that the models do not know.
        data = body.model_dump_json(warnings=False).encode()
        self._send(status, "application/json", data, headers)

    def _send(
        self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body))} | (headers or {})
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
