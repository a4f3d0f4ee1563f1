"""The service behind a real nginx, with and without a path prefix."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
import uvicorn
from playwright.sync_api import expect

from tests.serving.browser import CHROMIUM, launch, new_page
from tests.serving.stand_in import StandIn, make_app

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
CONFIG = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location /news/ {{
      proxy_pass http://127.0.0.1:{service}/;
      proxy_set_header Host $host:$server_port;
    }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """Address of the application on a real server."""
    app = make_app(StandIn(), api_key="right")
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def proxied(service: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the application below a prefix of nginx."""
    if NGINX is None:
        pytest.skip("needs nginx (apt-get install nginx)")
    folder = tmp_path_factory.mktemp("nginx")
    port = free_port()
    config = Path(folder, "nginx.conf")
    upstream = service.rstrip("/").rpartition(":")[2]
    config.write_text(CONFIG.format(folder=folder, port=port, service=upstream))
    folder.chmod(0o755)
    process = subprocess.Popen([NGINX, "-c", str(config), "-p", str(folder)])
    address = f"http://127.0.0.1:{port}/news/"
    for _ in range(200):
        try:
            httpx.get(address)
            break
        except httpx.TransportError:
            time.sleep(0.05)
    yield address
    process.terminate()
    process.wait(10)


@pytest.mark.parametrize("kind", ["service", "proxied"])
def test_api_and_pages_work_at_the_address_that_clients_use(
    kind: str, request: pytest.FixtureRequest
) -> None:
    address: str = request.getfixturevalue(kind)
    with httpx.Client(follow_redirects=True) as client:
        for page in ("", "ui", "docs"):
            found = client.get(address + page)
            assert found.status_code == 200
            assert str(found.url).startswith(address)
        assert client.get(urljoin(str(found.url), "./openapi.json")).status_code == 200
        document = client.get(f"{address}openapi.json").json()
        server = urljoin(f"{address}openapi.json", document["servers"][0]["url"])
        body = {"article": "One paragraph."}
        key = {"authorization": "Bearer right"}
        for path in ("summarize", "summarize/stream"):
            operation = f"{server.rstrip('/')}/{path}"
            assert operation == address + path
            assert client.post(operation, json=body).status_code == 401
            assert client.post(operation, json=body, headers=key).status_code == 200


@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium")
@pytest.mark.parametrize("kind", ["service", "proxied"])
def test_authorize_in_the_documentation_sends_the_key(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """Also in `/ui/`, which asks for the key after a 401."""
    address: str = request.getfixturevalue(kind)
    with launch() as browser:
        page = new_page(browser)
        page.goto(f"{address}docs")
        operation = page.locator("#operations-default-model_model_get")
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        status = operation.locator(".live-responses-table .response-col_status")
        for key, expected in ((None, "401"), ("wrong", "401"), ("right", "200")):
            if key:
                page.locator(".auth-wrapper .authorize").first.click()
                bearer = page.locator(".auth-container", has_text="HTTPBearer")
                if bearer.get_by_role("button", name="Remove authorization").is_visible():
                    bearer.get_by_role("button", name="Remove authorization").click()
                bearer.locator("input").fill(key)
                bearer.get_by_role("button", name="Apply credentials").click()
                page.get_by_role("button", name="Close").first.click()
            with page.expect_response(f"{address}model"):
                operation.get_by_role("button", name="Execute").click()
            expect(status.last).to_contain_text(expected)

        page.goto(f"{address}ui/")
        page.fill("#article", "One paragraph.")
        page.click("#summarize")
        page.locator("#key").fill("right")
        page.keyboard.press("Enter")
        expect(page.locator("#summary")).to_have_text("One paragraph.")
