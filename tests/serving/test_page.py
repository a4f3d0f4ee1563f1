"""The page in headless Chromium.

Tests that use `address` also pass with a running service (SERVICE_ADDRESS); those that use `stub`
need its answers.
"""

import json
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from highlighter.inference.answers import Truncated
from serving.schemas import SummarizeRequest, SummarizeResponse
from tests.serving.browser import CHROMIUM, launch, new_page
from tests.serving.stub import Stub, answer_to, error

ARTICLE = "\n\n".join(
    [
        "The ferry to Ashford & Dunholt returns on 3 May, the harbour board said on Tuesday.",
        "Repairs cost <b>£1.4 million</b>. <script>window.ran = true</script>",
        "<img src=x onerror='window.ran = true'> It rained &amp; rained.",
        "“Nobody was hurt,” said Maren Holt, who chairs the board of the harbour.",
        "Fares will rise by 8 per cent in June to pay for the work.",
    ]
)
Open = Callable[..., Page]

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Debian's package chromium")
    with launch() as browser:
        yield browser


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as stub:
        yield stub


@pytest.fixture
def address(stub: Stub) -> str:
    """Return the address of the service: SERVICE_ADDRESS, or the stub's."""
    return os.environ.get("SERVICE_ADDRESS", stub.address)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open the page; at the end, check that no script failed and no other origin was requested."""
    pages: list[Page] = []
    failures: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # The browser also reports each status 4xx and 5xx.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            failures.append(message.text)

    def open_page(address: str, **window: Any) -> Page:
        origin = "://".join(urlsplit(address)[:2])

        def check_origin(url: str) -> None:
            if not url.startswith(f"{origin}/"):
                failures.append(f"another origin: {url}")

        page = new_page(browser, **window)
        page.on("pageerror", lambda failure: failures.append(str(failure)))
        page.on("console", note)
        page.on("request", lambda request: check_origin(request.url))
        page.goto(f"{address}/ui/")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert not failures


def ask(address: str, **request: Any) -> dict[str, Any]:
    """Return the service's answer, or its error, to a request without a browser."""
    post = urllib.request.Request(
        f"{address}/summarize", json.dumps(request).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(post, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as failure:
        answer = json.load(failure)
    return answer


def wait_for_result(page: Page) -> None:
    expect(page.locator("#result")).to_be_visible()
    expect(page.locator("#cancel")).to_be_hidden()  # it is shown while a request is in progress


def summarize(page: Page, article: str = ARTICLE) -> None:
    page.fill("#article", article)
    page.click("#summarize")
    wait_for_result(page)


def ask_for_url(page: Page, url: str) -> None:
    page.check("input[value=url]")
    page.click("#url")
    page.keyboard.insert_text(url)
    page.keyboard.press("Enter")


def texts(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_text_contents()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def important(page: Page) -> list[int]:
    labels = page.locator("#passages > li .label").all()
    return [index for index, label in enumerate(labels) if label.is_visible()]


def best(answer: dict[str, Any], count: int) -> list[int]:
    scores = [paragraph["score"] for paragraph in answer["paragraphs"]]
    return sorted(sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:count])


def flagged(answer: dict[str, Any]) -> list[int]:
    return [i for i, paragraph in enumerate(answer["paragraphs"]) if paragraph["important"]]


def open_card(page: Page) -> None:
    page.click("#card summary")
    expect(page.locator("#card-body table")).to_be_visible()


def test_passages_are_marked_according_to_the_answer(address: str, open_page: Open) -> None:
    page = open_page(address)
    page.click("#example")
    article = page.input_value("#article")
    assert article.count("\n\n") >= 3
    page.click("#summarize")
    wait_for_result(page)
    answer = ask(address, article=article)
    paragraphs = answer["paragraphs"]
    assert texts(page, ".passage .text") == [paragraph["text"] for paragraph in paragraphs]
    assert texts(page, ".score") == [f"{paragraph['score']:.2f}" for paragraph in paragraphs]
    assert important(page) == flagged(answer)
    opacities = page.evaluate(
        "[...document.querySelectorAll('.text')].map("
        "(node) => Number(getComputedStyle(node, '::before').opacity))"
    )
    assert opacities == pytest.approx([paragraph["score"] for paragraph in paragraphs], abs=1e-4)
    assert texts(page, "#summary") == [answer["summary"]]
    expect(page.locator("#counts")).to_contain_text(f"{answer['counts']['words']} words")
    expect(page.locator("#origin")).to_contain_text(answer["model"]["tag"])


def test_slider_ranks_by_score_without_a_request(address: str, open_page: Open) -> None:
    page = open_page(address)
    summarize(page)
    answer = ask(address, article=ARTICLE)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.focus("#count")
    for _ in answer["paragraphs"]:
        page.keyboard.press("ArrowLeft")
    assert important(page) == []
    expect(page.locator("#copy-passages")).to_be_disabled()
    for count in range(1, len(answer["paragraphs"]) + 1):
        page.keyboard.press("ArrowRight")
        assert important(page) == best(answer, count)
        assert texts(page, "#count-text") == [f"{count} of {len(answer['paragraphs'])}"]
    assert not requests


def test_ties_go_to_the_earlier_passage(stub: Stub, open_page: Open) -> None:
    page = open_page(stub.address)
    summarize(page)
    paragraphs = answer_to(SummarizeRequest(article=ARTICLE)).paragraphs
    assert paragraphs[3].score == paragraphs[4].score
    assert important(page) == [0, 1]
    page.focus("#count")
    page.keyboard.press("ArrowRight")
    assert important(page) == [0, 1, 3]


def test_slider_of_a_long_article_has_fifty_steps(stub: Stub, open_page: Open) -> None:
    page = open_page(stub.address)
    summarize(page, "\n\n".join(f"Passage {number}." for number in range(782)))
    assert texts(page, "#count-text") == ["2 of 782"]
    page.focus("#count")
    page.keyboard.press("End")
    assert texts(page, "#count-text") == ["50 of 782"]
    page.keyboard.press("ArrowLeft")
    assert texts(page, "#count-text") == ["49 of 782"]


def test_copy_buttons(address: str, open_page: Open) -> None:
    page = open_page(address)
    summarize(page)
    answer = ask(address, article=ARTICLE)
    marked = "\n\n".join(answer["paragraphs"][i]["text"] for i in flagged(answer))
    for name, expected in (("#copy-summary", answer["summary"]), ("#copy-passages", marked)):
        button = page.locator(name)
        label = button.inner_text()
        button.click()
        expect(button).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == expected
        expect(button).to_have_text(label)


def test_copying_over_plain_http(address: str, open_page: Open) -> None:
    """Only https and localhost have a clipboard API."""
    page = open_page(address)
    summarize(page)
    page.evaluate("delete Navigator.prototype.clipboard")
    page.evaluate(
        "document.addEventListener('copy', (event) => (window.copied = event.target.value)) && 0"
    )
    page.click("#copy-summary")
    expect(page.locator("#copy-summary")).to_have_text("Copied")
    assert page.evaluate("window.copied") == ask(address, article=ARTICLE)["summary"]
    assert focused(page) == "copy-summary"


def test_error_is_shown_at_the_field_it_names(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask_for_url(page, "ftp://example.org/article")
    expect(page.locator("#url-error[role=alert]")).to_be_visible()
    failure = ask(address, url="ftp://example.org/article")["error"]
    assert failure["field"] == "url"
    assert texts(page, "#url-error") == [failure["message"]]
    expect(page.locator("#form-error")).to_be_hidden()
    expect(page.locator("#result")).to_be_hidden()
    expect(page.locator("#url[aria-invalid]")).to_be_focused()
    page.check("input[value=article]")
    summarize(page)
    expect(page.locator(".error").filter(visible=True)).to_have_count(0)
    expect(page.locator("[aria-invalid]")).to_have_count(0)


def test_empty_input_is_an_error(address: str, open_page: Open) -> None:
    page = open_page(address)
    for kind in ("article", "url"):
        page.check(f"input[value={kind}]")
        page.click("#summarize")
        expect(page.locator(f"#{kind}-error")).to_be_visible(timeout=5000)
        assert focused(page) == kind


@pytest.mark.parametrize("streaming", [False, True])
def test_other_errors_are_shown_below_the_form(
    stub: Stub, open_page: Open, streaming: bool
) -> None:
    page = open_page(stub.address)
    if streaming:
        page.check("#streaming")
    page.click("#example")
    for status, headers, message, field, expected in (
        (503, {"Retry-After": "7"}, "Too busy.", None, "Too busy. Try again in 7 s."),
        (422, {}, "At most 50.", "top_k", "top_k: At most 50."),
        (413, {}, "Too large.", "url", "url: Too large."),  # a field that is not shown
    ):
        stub.failure = (status, headers, error("code", message, field))
        page.keyboard.press("Control+Enter")
        expect(page.locator("#form-error")).to_have_text(expected)
        expect(page.locator("#form-error")).to_be_visible()
        expect(page.locator("#result")).to_be_hidden()
        expect(page.locator("#cancel")).to_be_hidden()


def test_key_is_requested_when_needed(stub: Stub, open_page: Open) -> None:
    stub.key = "s3cret"
    page = open_page(stub.address)
    expect(page.locator("#key")).to_be_hidden()
    page.click("#example")
    page.click("#summarize")
    expect(page.locator("#key-error")).to_be_visible()
    assert texts(page, "#key-error") == ["An API key is needed."]
    assert focused(page) == "key"
    page.keyboard.insert_text("s3cret")
    page.keyboard.press("Enter")
    wait_for_result(page)
    assert page.evaluate("Object.values(sessionStorage)") == ["s3cret"]
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.reload()
    expect(page.locator("#article")).to_have_value("")
    summarize(page)
    expect(page.locator("#key")).to_be_hidden()


def test_markup_is_shown_and_not_run(address: str, open_page: Open) -> None:
    page = open_page(address)
    for streaming in (False, True):
        if streaming:
            page.check("#streaming")
        summarize(page)
        shown = " ".join(texts(page, ".passage .text"))
        for text in (
            "Ashford & Dunholt",
            "<b>£1.4 million</b>",
            "<script>window.ran = true</script>",
            "<img src=x onerror='window.ran = true'> It rained &amp; rained.",
        ):
            assert text in shown
        assert page.evaluate("window.ran === undefined")
        expect(page.locator("main b, main script, main img")).to_have_count(0)


def test_page_loads_nothing_from_other_origins(address: str, open_page: Open) -> None:
    page = open_page(address)
    open_card(page)
    summarize(page)
    links = page.evaluate(
        "[...document.querySelectorAll('[src], link[href]')].map((node) => node.src || node.href)"
    )
    assert len(links) >= 3 and all(link.startswith(address) for link in links)
    policy = page.locator("meta[http-equiv]").get_attribute("content") or ""
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


def test_phone(address: str, open_page: Open) -> None:
    page = open_page(address, width=360, height=740)
    too_wide = "document.documentElement.scrollWidth > 360"
    assert not page.evaluate(too_wide)
    summarize(page, f"{ARTICLE}\n\nSee https://news.example.org/{'a' * 200} for more. " + "W" * 99)
    open_card(page)
    assert not page.evaluate(too_wide)
    table = page.locator("#card .wide")
    assert table.evaluate("(node) => node.scrollWidth <= node.clientWidth")
    summary, article = (page.locator(name).bounding_box() for name in (".summary", ".article"))
    assert summary and article and summary["y"] + summary["height"] <= article["y"]


def test_summary_is_beside_the_article(address: str, open_page: Open) -> None:
    page = open_page(address, width=1100)
    summarize(page)
    summary, article = (page.locator(name).bounding_box() for name in (".summary", ".article"))
    assert summary and article and summary["x"] >= article["x"] + article["width"]


def test_right_to_left_text(stub: Stub, open_page: Open) -> None:
    arabic = "قالت سلطة الميناء يوم الثلاثاء إن عبّارة أشفورد ستعود إلى الخدمة."
    stub.answer = lambda request: answer_to(request).model_copy(update={"summary": arabic})
    page = open_page(stub.address)
    summarize(page, f"{arabic}\n\nThe ferry returns.")
    for selector, expected in (
        ("#article", ["rtl"]),
        ("#summary", ["rtl"]),
        (".passage .text", ["rtl", "ltr"]),
        (".passage .strength", ["ltr", "ltr"]),
    ):
        shown = page.locator(selector).evaluate_all(
            "(nodes) => nodes.map((node) => getComputedStyle(node).direction)"
        )
        assert shown == expected, selector


def test_keyboard_alone(address: str, open_page: Open) -> None:
    page = open_page(address)

    def tab_to(name: str) -> None:
        for _ in range(20):
            if focused(page) == name:
                break
            page.keyboard.press("Tab")
        assert focused(page) == name
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

    tab_to("article")
    page.keyboard.insert_text(ARTICLE)
    page.keyboard.press("Control+Enter")
    wait_for_result(page)
    answer = ask(address, article=ARTICLE)
    assert focused(page) == "summary-heading"
    tab_to("copy-summary")
    page.keyboard.press("Enter")
    expect(page.locator("#copy-summary")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == answer["summary"]
    tab_to("count")
    page.keyboard.press("ArrowRight")
    assert important(page) == best(answer, len(flagged(answer)) + 1)
    tab_to("copy-passages")


def test_every_control_has_a_name(address: str, open_page: Open) -> None:
    page = open_page(address)
    summarize(page)
    tree = page.locator("body").aria_snapshot()
    roles = "button|textbox|radio|checkbox|slider|link|progressbar"
    controls = re.findall(rf'^ *- (?:{roles})\b(?: "([^"]*)")?', tree, re.MULTILINE)
    assert len(controls) >= 9
    assert all(controls), tree
    assert "Important" in tree and "score" in tree


def test_dark_mode(address: str, open_page: Open) -> None:
    """Colors differ, and text is readable on them, also on the passage with the highest score."""
    colors = {}
    for dark in (False, True):
        page = open_page(address, dark=dark)
        summarize(page)
        colors[dark] = page.evaluate(
            "(() => { const css = getComputedStyle(document.body);"
            " const text = document.querySelector('.text');"
            " return [css.backgroundColor, css.color,"
            " getComputedStyle(text, '::before').backgroundColor,"
            " getComputedStyle(document.querySelector('.small')).color]; })()"
        )
        paper, ink, mark, muted = map(luminance, colors[dark])
        assert (paper < ink) == dark
        for text, background in ((ink, paper), (ink, mark), (muted, paper)):
            contrast = (max(text, background) + 0.05) / (min(text, background) + 0.05)
            assert contrast >= 4.5
    assert not set(colors[False]) & set(colors[True])


def luminance(color: str) -> float:
    """Return WCAG's relative luminance of "rgb(r, g, b)"."""
    shares = [int(part) / 255 for part in color[4:-1].split(",")]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_streaming_shows_the_passages_first(address: str, open_page: Open) -> None:
    page = open_page(address)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.check("#streaming")
    page.evaluate(
        "window.seen = []; new MutationObserver(() => {"
        " const passages = document.querySelectorAll('.passage').length;"
        " const state = [passages, document.querySelector('#summary').textContent];"
        " if (passages && String(state) !== String(window.seen.at(-1))) window.seen.push(state);"
        "}).observe(document.body, { subtree: true, childList: true, characterData: true })"
    )
    summarize(page)
    answer = ask(address, article=ARTICLE)
    passages, summaries = zip(*page.evaluate("window.seen"), strict=True)
    assert set(passages) == {len(answer["paragraphs"])}
    assert summaries[0] == ""
    assert len(summaries) >= 4 and all(summaries[1:])
    assert requests[-1] == f"{address}/summarize/stream"
    assert important(page) == flagged(answer)


def test_streaming_ends_with_the_final_summary(stub: Stub, open_page: Open) -> None:
    page = open_page(stub.address)
    page.check("#streaming")
    summarize(page)
    assert texts(page, "#summary") == [answer_to(SummarizeRequest(article=ARTICLE)).summary]


def test_streaming_error_hides_the_incomplete_summary(stub: Stub, open_page: Open) -> None:
    stub.stream_failure = error("timeout", "It took too long.")
    page = open_page(stub.address)
    page.check("#streaming")
    page.click("#example")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#form-error")).to_have_text("It took too long.")
    expect(page.locator("#form-error")).to_be_visible()
    expect(page.locator("#result")).to_be_hidden()


def test_notes_say_where_the_summary_comes_from(stub: Stub, open_page: Open) -> None:
    page = open_page(stub.address)
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["Written by the model"]),
        ({"doubt": "empty"}, ["wrote nothing"]),
        ({"doubt": "damaged"}, ["broken"]),
        ({"doubt": "unsupported_facts"}, ["name, number or date that the article does not have"]),
        ({"doubt": "contradicts_article"}, ["the opposite of the article"]),
        ({"doubt": "low_confidence"}, ["not sure enough"]),
        ({"doubt": "unfamiliar"}, ["unlike those"]),
        ({"doubt": "misses_salient"}, ["too little of the sentences that matter"]),
        ({"doubt": "something_new"}, ["something_new"]),
        ({"facts_checked": False}, ["Written by the model", "not checked: the article"]),
        (
            {"truncated": Truncated(source=True, summary=True)},
            ["Written by the model", "a part of the article", "Cut off"],
        ),
    ]
    for change, notes in cases:

        def answer(request: SummarizeRequest, change: dict[str, Any] = change) -> SummarizeResponse:
            return answer_to(request).model_copy(update=change)

        stub.answer = answer
        summarize(page)
        shown = texts(page, "#notes > p")
        assert len(shown) == len(notes)
        assert all(note in text for note, text in zip(notes, shown, strict=True))
        assert ("Extracted, not written" in shown[0]) == ("doubt" in change)


def test_web_address(stub: Stub, open_page: Open) -> None:
    page = open_page(stub.address)
    url = "https://news.example.org/ferry?a=1"
    ask_for_url(page, url.removeprefix("https://"))
    wait_for_result(page)
    assert stub.requests == [("/summarize", SummarizeRequest(url=url))]
    assert texts(page, "#source") == ["From The ferry & the island"]
    assert page.locator("#source a").get_attribute("href") == url


def test_a_request_can_be_cancelled(stub: Stub, open_page: Open) -> None:
    cancelled = threading.Event()

    def slow_answer(request: SummarizeRequest) -> SummarizeResponse:
        cancelled.wait(10)
        return answer_to(request)

    stub.answer = slow_answer
    page = open_page(stub.address)
    page.click("#example")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#cancel")).to_be_visible()
    page.keyboard.press("Control+Enter")  # ignored while a request is in progress
    page.click("#cancel")
    expect(page.locator("#status")).to_have_text("Cancelled.")
    expect(page.locator("#cancel")).to_be_hidden()
    expect(page.locator(".error").filter(visible=True)).to_have_count(0)
    cancelled.set()
    page.click("#summarize")
    wait_for_result(page)
    assert len(stub.requests) == 2


def test_model_card(address: str, open_page: Open) -> None:
    page = open_page(address)
    open_card(page)
    with urllib.request.urlopen(f"{address}/model", timeout=60) as response:
        card = json.load(response)
    [text] = texts(page, "#card-body")
    assert card["tag"] in text and card["engine"] in text
    for score in card["evaluation"]["scores"]:
        assert f"{score['value']:.1f}{score['low']:.1f} – {score['high']:.1f}" in text
    names = texts(page, "#card-body th[scope=row]")
    assert names and not [name for name in names if "_" in name]
    link = page.locator("footer a").evaluate("(node) => node.href")
    assert link == f"{address}/docs"
