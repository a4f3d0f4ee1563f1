"""Workarounds for libraries, one function each."""

import socket
from ipaddress import ip_address

import click
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml.exceptions import BentoMLConfigException


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


def swagger_ui_package() -> tuple[str, str]:
    """Return the package and folder of Swagger UI's files, for `StaticFiles(packages=[...])`.

    FastAPI would load Swagger UI from a CDN, and BentoML's own page loads a third-party tag
    manager. BentoML 1.4.39 ships Swagger UI 5.12 in an internal package; no maintained package on
    PyPI has a version that reads OpenAPI 3.1.
    """
    return "bentoml", "_internal/server/static_content"
