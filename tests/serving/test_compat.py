"""Each workaround is still needed, and still works."""

import pytest
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.staticfiles import StaticFiles

from serving.compat import swagger_ui_package


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
