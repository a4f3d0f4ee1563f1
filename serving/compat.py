"""Workarounds for libraries, one function each."""

import asyncio
import resource
import socket
import weakref
from ipaddress import ip_address

import click
import h11
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml.exceptions import BentoMLConfigException
from uvicorn.protocols.http.h11_impl import H11Protocol


def require_free_port() -> None:
    """Refuse to start on an address that cannot be listened on.

    BentoML 1.4.39 ends with a traceback of 40 lines that does not name the port. Its hook before
    deployment is not given the address, so the command's options are read. No upstream issue is
    known.

    Raises:
        BentoMLConfigException: the port is in use, or this user may not listen on it.
    """
    command = click.get_current_context(silent=True)
    if command is None or "port" not in command.params:
        return  # not started by `bentoml serve`
    port = command.params["port"] or BentoMLContainer.http.port.get()
    host = command.params.get("host") or BentoMLContainer.http.host.get()
    try:
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except ValueError:
        return  # not an address: BentoML says so
    except OSError as error:
        raise BentoMLConfigException(
            f"Port {port} of {host} cannot be used: {(error.strerror or str(error)).lower()}. "
            "Choose another one: bentoml serve --port NUMBER."
        ) from error


def close_connections_without_request(seconds: float) -> None:
    """Close connections that have waited for a request's headers for `seconds`, at most twice that.

    uvicorn 0.54.0 keeps them as long as the client likes (https://github.com/Kludex/uvicorn/pull/1192
    for those without a byte), until the process has no file descriptors left for other clients.
    Of those it takes as many as the system permits; the default limit is 1,024 in many containers.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    accept = H11Protocol.connection_made

    def connection_made(self: H11Protocol, transport: asyncio.Transport) -> None:
        accept(self, transport)
        reference = weakref.ref(self)  # closed connections are not kept until the next check
        self.loop.call_later(seconds, check, reference, None)

    def check(reference: weakref.ref[H11Protocol], waited_after: object) -> None:
        protocol = reference()
        if protocol is None or protocol.transport.is_closing():
            return
        waits = protocol.conn.their_state is h11.IDLE
        if waits and protocol.cycle is waited_after:
            protocol.transport.close()
        else:
            last_request = protocol.cycle if waits else reference  # the latter is no request
            protocol.loop.call_later(seconds, check, reference, last_request)

    H11Protocol.connection_made = connection_made  # type: ignore[method-assign]


def swagger_ui_package() -> tuple[str, str]:
    """Return the package and folder of Swagger UI's files, for `StaticFiles(packages=[...])`.

    FastAPI would load Swagger UI from a CDN, and BentoML's own page loads a third-party tag
    manager. BentoML 1.4.39 ships Swagger UI 5.12 in an internal package; no maintained package on
    PyPI has a version that reads OpenAPI 3.1.
    """
    return "bentoml", "_internal/server/static_content"
