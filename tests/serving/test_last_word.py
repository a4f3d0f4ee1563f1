"""Requests whose handling says nothing get an answer all the same."""

import asyncio
import json

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.last_word import LastWord


async def _silent(scope: Scope, receive: Receive, send: Send) -> None:
    """As after a caller has left."""


async def _broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise ConnectionError("no process at the other end")


async def _fine(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _ask(app: ASGIApp, sent: list[Message]) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(LastWord(app)({"type": "http", "path": "/readyz"}, receive, send))


def test_silence_becomes_not_ready() -> None:
    sent: list[Message] = []
    _ask(_silent, sent)
    assert sent[0]["status"] == 503
    assert json.loads(sent[1]["body"])["error"]["code"] == "not_ready"


def test_an_error_is_answered_and_goes_on_to_the_log() -> None:
    sent: list[Message] = []
    with pytest.raises(ConnectionError):
        _ask(_broken, sent)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 503


def test_an_answer_is_left_alone() -> None:
    sent: list[Message] = []
    _ask(_fine, sent)
    assert [message.get("status") for message in sent] == [204, None]
