"""Compare extractors on made-up pages: `python -m tests.serving.fetch.compare_extractors`.

readability-lxml is compared too where it is installed; the project does not need it.
"""

import importlib.util
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import justext
import trafilatura
from lxml import html

from serving.fetch.errors import WebError
from serving.fetch.extraction import read_html
from tests.serving.fetch.notice_pages import MENTIONS, mentioning_page, notice_pages
from tests.serving.fetch.pages import (
    BOILERPLATE,
    Page,
    article_pages,
    made_up_page,
    missing,
    surplus,
)

RANDOM_PAGES = 500


def service(page: str) -> str:
    found = read_html(page)
    return getattr(found, "text", "")


def with_trafilatura(**options: Any) -> Callable[[str], str]:
    def extract(page: str) -> str:
        return trafilatura.extract(page, include_comments=False, **options) or ""

    return extract


def with_justext(page: str) -> str:
    paragraphs = justext.justext(page.encode(), justext.get_stoplist("English"))
    return "\n\n".join(part.text for part in paragraphs if not part.is_boilerplate)


def with_readability(page: str) -> str:
    readability = importlib.import_module("readability")
    return str(html.fromstring(readability.Document(page).summary()).text_content())


def extractors() -> Iterator[tuple[str, Callable[[str], str]]]:
    yield "the service", service
    yield (
        "trafilatura, favor_precision",
        with_trafilatura(favor_precision=True, include_tables=False),
    )
    yield "trafilatura, default", with_trafilatura()
    yield "trafilatura, favor_recall", with_trafilatura(favor_recall=True)
    yield "trafilatura, fast", with_trafilatura(fast=True)
    yield "jusText", with_justext
    if importlib.util.find_spec("readability"):
        yield "readability-lxml", with_readability


def read(extract: Callable[[str], str], page: str) -> str:
    try:
        return extract(page.replace("\0", ""))
    except (WebError, ValueError):
        return ""


def measures(extract: Callable[[str], str], pages: Sequence[Page]) -> str:
    texts = [(page, read(extract, page.html)) for page in pages]
    lost = [len(missing(text, page)) for page, text in texts]
    kept = sum(len(surplus(text)) for _, text in texts)
    recall = 1 - sum(lost) / sum(len(page.paragraphs) for page in pages)
    share = kept / len(BOILERPLATE) / len(pages)
    return f"{recall:.1%} | {lost.count(0)} of {len(pages)} | {share:.1%}"


def main() -> None:
    shaped = [page for _, page in article_pages()]
    mixed = [made_up_page(random.Random(seed)) for seed in range(RANDOM_PAGES)]
    columns = ["paragraphs kept", "pages complete", "boilerplate kept"]
    columns += [f"{name}, random" for name in columns]
    columns = ["extractor", *columns, "notices refused", "articles about such kept", "ms a page"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for name, extract in extractors():
        first, start = measures(extract, shaped), time.process_time()
        second = measures(extract, mixed)
        milliseconds = 1000 * (time.process_time() - start) / len(mixed)
        notices = [read(extract, page) for _, page in notice_pages()]
        refused = sum(len(text) < 200 for text in notices)
        real = [(parts, read(extract, mentioning_page(parts))) for parts in MENTIONS.values()]
        good = sum(all(part in text for part in parts) for parts, text in real)
        print(
            f"| {name} | {first} | {second} | {refused} of {len(notices)} | {good} of {len(real)} "
            f"| {milliseconds:.0f} |"
        )


if __name__ == "__main__":
    main()
