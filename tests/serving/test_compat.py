"""Each workaround is still needed, and still works."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import click
import pytest
import uvicorn
from bentoml.exceptions import BentoMLConfigException
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.staticfiles import StaticFiles
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.h11_impl import H11Protocol

from serving.compat import (
    close_connections_without_request,
    require_free_port,
    swagger_ui_package,
)


def test_fastapi_loads_swagger_ui_from_another_host_unless_told_otherwise() -> None:
    """If this fails, FastAPI's own files can replace `serving.compat.swagger_ui_package`."""
    page = bytes(get_swagger_ui_html(openapi_url="./openapi.json", title="API").body).decode()
    assert 'src="https://' in page


@pytest.mark.parametrize(
    "file", ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-light-32x32.png"]
)
def test_bentoml_has_the_files_of_swagger_ui(file: str) -> None:
    folder = StaticFiles(packages=[swagger_ui_package()])
    assert folder.lookup_path(file)[1] is not None


@pytest.mark.parametrize("by", ["option", "default", "variable"])
def test_a_port_in_use_is_one_line_that_names_it(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        arguments = ["--host", "127.0.0.1"]
        match by:
            case "option":
                arguments += ["--port", str(port)]
            case "variable":
                monkeypatch.setenv("BENTOML_PORT", str(port))
            case "default":
                default = SimpleNamespace(port=SimpleNamespace(get=lambda: port))
                monkeypatch.setattr("serving.compat.BentoMLContainer.http", default)
        with pytest.raises(
            BentoMLConfigException, match=f"^Port {port} of 127.0.0.1 .*in use.*--port NUMBER"
        ):
            start(arguments)
    start(arguments)  # free again


def test_other_commands_check_no_port() -> None:
    require_free_port()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Port of a uvicorn server as BentoML starts it, whose application waits for 0.8 s."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.8 if scope["path"] == "/slow" else 0)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    monkeypatch.setattr(H11Protocol, "connection_made", H11Protocol.connection_made)
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off")
    assert AutoHTTPProtocol is H11Protocol  # not httptools
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n"


@pytest.mark.parametrize("sent", [b"", REQUEST, REQUEST + b"\r\n" + REQUEST])
def test_connection_without_a_complete_request_is_closed(port: int, sent: bytes) -> None:
    """If it is closed without the workaround, uvicorn has a limit of its own."""

    def is_closed() -> bool:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(sent)
            client.settimeout(0.7)
            try:
                while client.recv(1000):
                    pass
            except TimeoutError:
                return False
            return True

    assert not is_closed()
    close_connections_without_request(0.2)
    assert is_closed()


def test_connection_with_a_request_is_not_closed(port: int) -> None:
    close_connections_without_request(0.2)
    slow = REQUEST.replace(b"/ ", b"/slow ") + b"\r\n"
    with socket.create_connection(("127.0.0.1", port)) as client:
        for _ in range(2):
            client.sendall(slow)
            assert client.recv(1000).startswith(b"HTTP/1.1 204")


def start(arguments: list[str]) -> None:
    """Check the port within a command that has the options of `bentoml serve`."""
    port = click.Option(["--port"], type=int, envvar="BENTOML_PORT")
    command = click.Command(
        "serve",
        params=[port, click.Option(["--host"])],
        callback=lambda port, host: require_free_port(),
    )
    command.main(arguments, standalone_mode=False)
