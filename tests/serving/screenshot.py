"""A picture of the page with its example: python -m tests.serving.screenshot FILE."""

import argparse
import io
from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from tests.serving.browser import Browser
from tests.serving.stub import Stub


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="the PNG file")
    parser.add_argument("--address", help="a running service; the tests' stub, if left out")
    parser.add_argument("--width", type=int, default=1100)
    parser.add_argument("--height", type=int, help="the whole page's, if left out")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        address = options.address or stack.enter_context(Stub()).address
        page = stack.enter_context(Browser()).open(
            f"{address}/ui/", width=options.width, dark=options.dark
        )
        page.click("#example")
        page.click("#summarize")
        page.wait_for("document.querySelector('#summary').textContent !== ''")
        height = options.height or page.evaluate("document.documentElement.scrollHeight")
        page.resize(options.width, height)
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(options.output, optimize=True)


if __name__ == "__main__":
    main()
