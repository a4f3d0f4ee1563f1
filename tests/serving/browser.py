"""Headless Chromium with the settings that the page's tests and its pictures need."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")  # Debian's package, as Playwright's own is a download


@contextmanager
def launch() -> Iterator[Browser]:
    """Run a browser process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu"],  # CI runs as root, without a display
        )
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, *, width: int = 1100, height: int = 900, dark: bool = False) -> Page:
    """Return an empty page in a window without stored data; its size is in CSS pixels."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        is_mobile=width < 600,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",  # clicks miss what moves
        permissions=["clipboard-read", "clipboard-write"],
    )
    return context.new_page()
