"""Headless Chromium over the DevTools protocol (https://chromedevtools.github.io/devtools-protocol)."""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
KEYS = {"Tab": 9, "Enter": 13, "Space": 32, "ArrowLeft": 37, "ArrowRight": 39}
CTRL, SHIFT = 2, 8


class Browser:
    """A browser process; close it, or use it as a context manager."""

    def __init__(self) -> None:
        assert CHROMIUM is not None
        self._loop = asyncio.new_event_loop()
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={self._profile.name}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._last = 0
        self.events: list[dict[str, Any]] = []
        self._loop.run_until_complete(self._connect())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._loop.run_until_complete(self._client.close())
        self._process.terminate()
        self._process.wait(10)
        self._loop.close()
        self._profile.cleanup()

    async def _connect(self) -> None:
        port_file = Path(self._profile.name, "DevToolsActivePort")
        end = time.monotonic() + 30
        while not (port_file.exists() and len(lines := port_file.read_text().split()) == 2):
            assert time.monotonic() < end and self._process.poll() is None, (
                "chromium has not started"
            )
            await asyncio.sleep(0.05)
        self._client = aiohttp.ClientSession()
        address = f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        self._socket = await self._client.ws_connect(address, max_msg_size=0)

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command's result; the events that come before it are kept."""
        return self._loop.run_until_complete(self._send(method, session, parameters))

    async def _send(
        self, method: str, session: str | None, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        self._last += 1
        to = {"sessionId": session} if session else {}
        await self._socket.send_json(
            {"id": self._last, "method": method, "params": dict(parameters), **to}
        )
        while True:
            message: dict[str, Any] = await self._socket.receive_json(timeout=30)
            if "id" not in message:
                self.events.append(message)
            elif message["id"] == self._last:
                assert "error" not in message, f"{method}: {message['error']}"
                result: dict[str, Any] = message["result"]
                return result

    def open(self, url: str, *, width: int = 1100, height: int = 900, dark: bool = False) -> "Page":
        """The address in a new window that shares no storage with the others."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        self.send(
            "Browser.grantPermissions",
            browserContextId=context,
            permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
        )
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)
        session = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, session["sessionId"], context)
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.send(f"{domain}.enable")
        preferences = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},  # or clicks miss what moves
        ]
        page.send("Emulation.setEmulatedMedia", features=preferences)
        page.resize(width, height)
        page.send("Page.navigate", url=url)
        page.wait_for("document.readyState === 'complete' && location.protocol !== 'about:'")
        return page


class Page:
    """One window."""

    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self._browser, self._session, self._context = browser, session, context

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command to this window."""
        return self._browser.send(method, self._session, **parameters)

    def close(self) -> None:
        """Closes the window and forgets its storage."""
        self._browser.send("Target.disposeBrowserContext", browserContextId=self._context)

    def events(self, method: str) -> list[dict[str, Any]]:
        """What has happened in this window so far."""
        self.evaluate("0")  # collects what is still in the socket
        return [
            event["params"]
            for event in self._browser.events
            if event["method"] == method and event.get("sessionId") == self._session
        ]

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, which must be JSON; a promise is awaited."""
        answer = self.send(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 30) -> None:
        """Until the expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)

    def texts(self, selector: str) -> list[str]:
        """The text of each element, hidden ones too."""
        query = json.dumps(selector)
        texts: list[str] = self.evaluate(
            f"[...document.querySelectorAll({query})].map((node) => node.textContent)"
        )
        return texts

    def visible(self, selector: str) -> bool:
        """Whether the element can be seen."""
        return bool(
            self.evaluate(f"document.querySelector({json.dumps(selector)}).checkVisibility()")
        )

    def click(self, selector: str) -> None:
        """Clicks with the mouse in the element's middle."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).scrollIntoViewIfNeeded()")
        x, y = self.evaluate(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, modifiers: int = 0) -> None:
        """A key of the keyboard, down and up."""
        text = {"Enter": "\r", "Space": " "}.get(key) if not modifiers else None
        common = {
            "key": " " if key == "Space" else key,
            "code": key,
            "windowsVirtualKeyCode": KEYS[key],
            "modifiers": modifiers,
        }
        down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        self.send("Input.dispatchKeyEvent", **down, **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def paste(self, text: str) -> None:
        """Text into what has the focus."""
        self.send("Input.insertText", text=text)

    def resize(self, width: int, height: int) -> None:
        """The window's size in CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def screenshot(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])
