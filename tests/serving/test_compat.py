"""Each workaround is still needed, and still works."""

import socket
from types import SimpleNamespace

import click
import pytest
from bentoml.exceptions import BentoMLConfigException
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.staticfiles import StaticFiles

from serving.compat import require_free_port, swagger_ui_package


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


def start(arguments: list[str]) -> None:
    """Check the port within a command that has the options of `bentoml serve`."""
    port = click.Option(["--port"], type=int, envvar="BENTOML_PORT")
    command = click.Command(
        "serve",
        params=[port, click.Option(["--host"])],
        callback=lambda port, host: require_free_port(),
    )
    command.main(arguments, standalone_mode=False)
