"""Save a picture of the page with its example: python -m tests.serving.screenshot FILE."""

import argparse
import io
from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from tests.serving.browser import launch, new_page
from tests.serving.stub import Stub


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="PNG file to write")
    parser.add_argument("--address", help="address of a running service; default: the tests' stub")
    parser.add_argument("--width", type=int, default=1100, help="of the window, in CSS pixels")
    parser.add_argument("--height", type=int, help="of the picture; default: the whole page")
    parser.add_argument("--dark", action="store_true", help="use the dark color scheme")
    parser.add_argument("--card", action="store_true", help="open the model's card")
    parser.add_argument("--article", type=Path, help="text file to summarize; default: the example")
    options = parser.parse_args()
    with ExitStack() as stack:
        address = options.address or stack.enter_context(Stub()).address
        browser = stack.enter_context(launch())
        page = new_page(
            browser, width=options.width, height=options.height or 900, dark=options.dark
        )
        page.goto(f"{address}/ui/")
        page.click("#example")
        if options.article:
            page.fill("#article", options.article.read_text(encoding="utf-8"))
        page.click("#summarize")
        page.wait_for_selector("#summary:not(:empty)")  # the page's policy forbids evaluated code
        if options.card:
            page.click("#card summary")
            page.wait_for_selector("#card-body table")
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        png = page.screenshot(full_page=options.height is None)
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(options.output, optimize=True)


if __name__ == "__main__":
    main()
