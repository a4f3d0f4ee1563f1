"""The page as a person meets it, in real headless Chromium.

A test that takes `address` alone holds for any service; one that takes `stub` needs its answers.
"""

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.serving.browser import CHROMIUM, CTRL, Browser, Page
from tests.serving.stub import Stub, answer_to

ARTICLE = "\n\n".join(
    [
        "The ferry to Ashford & Dunholt returns on 3 May, the harbour board said on Tuesday.",
        "Repairs cost <b>£1.4 million</b>. <script>window.ran = true</script>",
        "<img src=x onerror='window.ran = true'> It rained &amp; rained.",
        "“Nobody was hurt,” said Maren Holt, who chairs the board of the harbour.",
        "Fares will rise by 8 per cent in June to pay for the work.",
    ]
)
DONE = "!document.querySelector('#result').hidden && document.querySelector('#progress').hidden"
FAILED = "[...document.querySelectorAll('.error')].some((node) => node.checkVisibility())"

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    with Browser() as browser:
        yield browser


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as stub:
        yield stub


@pytest.fixture
def address(stub: Stub) -> str:
    """Where the service is: SERVICE_ADDRESS, or the stub."""
    return os.environ.get("SERVICE_ADDRESS", stub.address)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens the page; at the end nothing has failed in it or been asked of another origin."""
    pages: list[tuple[str, Page]] = []

    def open_page(address: str, **window: Any) -> Page:
        page = browser.open(f"{address}/ui/", **window)
        pages.append((address, page))
        return page

    yield open_page
    for address, page in pages:
        origin = "://".join(urlsplit(address)[:2])
        asked = [event["request"]["url"] for event in page.events("Network.requestWillBeSent")]
        assert asked and not [url for url in asked if not url.startswith(f"{origin}/")]
        assert not page.events("Runtime.exceptionThrown")
        log = [event["entry"] for event in page.events("Log.entryAdded")]
        assert not [entry for entry in log if entry["source"] != "network"]  # that is: a 4xx
        page.close()


def ask(address: str, **request: Any) -> dict[str, Any]:
    """What the service answers to a program."""
    post = urllib.request.Request(
        f"{address}/summarize", json.dumps(request).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(post, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
    return answer


def summarize(page: Page, article: str = ARTICLE) -> None:
    page.evaluate("document.querySelector('#article').select()")
    page.paste(article)
    page.click("#summarize")
    page.wait_for(DONE)


def ask_for_url(page: Page, url: str) -> None:
    page.click("input[value=url]")
    page.click("#url")
    page.paste(url)
    page.press("Enter")


def important(page: Page) -> list[int]:
    indices: list[int] = page.evaluate(
        "[...document.querySelectorAll('#passages > li')].flatMap("
        "(item, i) => item.querySelector('.label').checkVisibility() ? [i] : [])"
    )
    return indices


def best(answer: dict[str, Any], count: int) -> list[int]:
    scores = [paragraph["score"] for paragraph in answer["paragraphs"]]
    return sorted(sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:count])


def flagged(answer: dict[str, Any]) -> list[int]:
    return [i for i, paragraph in enumerate(answer["paragraphs"]) if paragraph["important"]]


def test_passages_are_marked_as_the_answer_says(address: str, open_page: Open) -> None:
    page = open_page(address)
    page.click("#example")
    article = page.evaluate("document.querySelector('#article').value")
    assert article.count("\n\n") >= 3
    page.click("#summarize")
    page.wait_for(DONE)
    answer = ask(address, article=article)
    paragraphs = answer["paragraphs"]
    assert page.texts(".passage .text") == [paragraph["text"] for paragraph in paragraphs]
    assert page.texts(".score") == [f"{paragraph['score']:.2f}" for paragraph in paragraphs]
    assert important(page) == flagged(answer)
    opacities = page.evaluate(
        "[...document.querySelectorAll('.text')].map("
        "(node) => Number(getComputedStyle(node, '::before').opacity))"
    )
    assert opacities == pytest.approx([paragraph["score"] for paragraph in paragraphs], abs=1e-4)
    assert page.texts("#summary") == [answer["summary"]]
    assert f"{answer['counts']['words']} words" in page.texts("#counts")[0]
    assert answer["model"]["tag"] in page.texts("#origin")[0]


def test_slider_ranks_by_score_without_asking_again(address: str, open_page: Open) -> None:
    page = open_page(address)
    summarize(page)
    answer = ask(address, article=ARTICLE)
    asked = len(page.events("Network.requestWillBeSent"))
    page.evaluate("document.querySelector('#count').focus()")
    for _ in answer["paragraphs"]:
        page.press("ArrowLeft")
    assert important(page) == []
    assert page.evaluate("document.querySelector('#copy-passages').disabled")
    for count in range(1, len(answer["paragraphs"]) + 1):
        page.press("ArrowRight")
        assert important(page) == best(answer, count)
        assert page.texts("#count-text") == [f"{count} of {len(answer['paragraphs'])}"]
    assert len(page.events("Network.requestWillBeSent")) == asked


def test_ties_go_to_the_earlier_passage(stub: Stub, open_page: Open) -> None:
    page = open_page(stub.address)
    summarize(page)
    paragraphs = answer_to({"article": ARTICLE})["paragraphs"]
    assert paragraphs[3]["score"] == paragraphs[4]["score"]
    assert important(page) == [0, 1]
    page.evaluate("document.querySelector('#count').focus()")
    page.press("ArrowRight")
    assert important(page) == [0, 1, 3]


def test_copy_buttons(address: str, open_page: Open) -> None:
    page = open_page(address)
    summarize(page)
    answer = ask(address, article=ARTICLE)
    marked = "\n\n".join(answer["paragraphs"][i]["text"] for i in flagged(answer))
    for button, expected in (("#copy-summary", answer["summary"]), ("#copy-passages", marked)):
        [label] = page.texts(button)
        page.click(button)
        page.wait_for(f"document.querySelector('{button}').textContent === 'Copied'")
        assert page.evaluate("navigator.clipboard.readText()") == expected
    page.wait_for(f"document.querySelector('{button}').textContent === '{label}'")


def test_copying_over_plain_http(address: str, open_page: Open) -> None:
    """Only https and localhost have a clipboard API."""
    page = open_page(address)
    summarize(page)
    page.evaluate("delete Navigator.prototype.clipboard")
    page.evaluate(
        "document.addEventListener('copy', (event) => (window.copied = event.target.value)) && 0"
    )
    page.click("#copy-summary")
    page.wait_for("document.querySelector('#copy-summary').textContent === 'Copied'")
    assert page.evaluate("window.copied") == ask(address, article=ARTICLE)["summary"]
    assert page.evaluate("document.activeElement.id") == "copy-summary"


def test_error_stands_at_the_field_it_names(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask_for_url(page, "ftp://example.org/article")
    page.wait_for(FAILED)
    error = ask(address, url="ftp://example.org/article")["error"]
    assert error["field"] == "url"
    assert page.texts("#url-error") == [error["message"]]
    assert page.visible("#url-error[role=alert]")
    assert not page.visible("#form-error") and not page.visible("#result")
    assert page.evaluate("document.activeElement.matches('#url[aria-invalid]')")
    page.click("input[value=article]")
    summarize(page)
    assert not page.evaluate(FAILED) and not page.evaluate(
        "!!document.querySelector('[aria-invalid]')"
    )


def test_nothing_to_summarize(address: str, open_page: Open) -> None:
    page = open_page(address)
    for kind in ("article", "url"):
        page.click(f"input[value={kind}]")
        page.click("#summarize")
        page.wait_for(f"document.querySelector('#{kind}-error').checkVisibility()", seconds=2)
        assert page.evaluate("document.activeElement.id") == kind


@pytest.mark.parametrize("streaming", [False, True])
def test_other_errors_stand_below_the_form(stub: Stub, open_page: Open, streaming: bool) -> None:
    page = open_page(stub.address)
    if streaming:
        page.click("#streaming")
    page.click("#example")
    for status, headers, message, field, expected in (
        (503, {"Retry-After": "7"}, "Too busy.", None, "Too busy. Try again in 7 s."),
        (422, {}, "At most 50.", "top_k", "top_k: At most 50."),
        (413, {}, "Too large.", "url", "url: Too large."),  # a field that is not shown
    ):
        stub.failure = (status, headers, {"code": "code", "message": message, "field": field})
        page.press("Enter", CTRL)
        page.wait_for(f"document.querySelector('#form-error').textContent === '{expected}'")
        assert page.visible("#form-error")
        assert not page.visible("#result") and not page.visible("#cancel")


def test_key_is_asked_for_when_needed(stub: Stub, open_page: Open) -> None:
    stub.key = "s3cret"
    page = open_page(stub.address)
    assert not page.visible("#key")
    page.click("#example")
    page.click("#summarize")
    page.wait_for(FAILED)
    assert page.texts("#key-error") == ["An API key is needed."]
    assert page.evaluate("document.activeElement.id") == "key"
    page.paste("s3cret")
    page.press("Enter")
    page.wait_for(DONE)
    assert page.evaluate("Object.values(sessionStorage)") == ["s3cret"]
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.send("Page.reload")
    page.wait_for("document.readyState === 'complete' && !document.querySelector('#article').value")
    summarize(page)
    assert not page.visible("#key")


def test_markup_is_shown_and_does_not_run(address: str, open_page: Open) -> None:
    page = open_page(address)
    for streaming in (False, True):
        if streaming:
            page.click("#streaming")
        summarize(page)
        shown = " ".join(page.texts(".passage .text"))
        for text in (
            "Ashford & Dunholt",
            "<b>£1.4 million</b>",
            "<script>window.ran = true</script>",
        ):
            assert text in shown
        assert "<img src=x onerror='window.ran = true'> It rained &amp; rained." in shown
        assert page.evaluate("window.ran === undefined")
        assert (
            page.evaluate("document.querySelectorAll('main b, main script, main img').length") == 0
        )


def test_other_origins_are_out_of_reach(address: str, open_page: Open) -> None:
    page = open_page(address)
    page.click("#card summary")
    page.wait_for("document.querySelector('#card-body table') !== null")
    summarize(page)
    links = page.evaluate(
        "[...document.querySelectorAll('[src], link[href]')].map((node) => node.src || node.href)"
    )
    assert len(links) >= 3 and all(link.startswith(address) for link in links)
    policy = page.evaluate("document.querySelector('meta[http-equiv]').content")
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


def test_phone(address: str, open_page: Open) -> None:
    page = open_page(address, width=360, height=740)
    too_wide = "document.documentElement.scrollWidth > 360"
    assert not page.evaluate(too_wide)
    summarize(page, f"{ARTICLE}\n\nSee https://news.example.org/{'a' * 200} for more. " + "W" * 99)
    page.click("#card summary")
    page.wait_for("document.querySelector('#card-body table') !== null")
    assert not page.evaluate(too_wide)
    summary, article = page.evaluate(
        "['.summary', '.article'].map((name) => document.querySelector(name)"
        ".getBoundingClientRect()).map(({top, bottom}) => [top, bottom])"
    )
    assert summary[1] <= article[0]


def test_summary_stands_beside_the_article(address: str, open_page: Open) -> None:
    page = open_page(address, width=1100)
    summarize(page)
    assert page.evaluate(
        "document.querySelector('.summary').getBoundingClientRect().left"
        " >= document.querySelector('.article').getBoundingClientRect().right"
    )


def test_keyboard_alone(address: str, open_page: Open) -> None:
    page = open_page(address)

    def tab_to(name: str) -> None:
        for _ in range(20):
            if page.evaluate("document.activeElement.id") == name:
                break
            page.press("Tab")
        assert page.evaluate("document.activeElement.id") == name
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

    tab_to("article")
    page.paste(ARTICLE)
    page.press("Enter", CTRL)
    page.wait_for(DONE)
    answer = ask(address, article=ARTICLE)
    assert page.evaluate("document.activeElement.id") == "summary-heading"
    tab_to("copy-summary")
    page.press("Enter")
    page.wait_for("document.querySelector('#copy-summary').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == answer["summary"]
    tab_to("count")
    page.press("ArrowRight")
    assert important(page) == best(answer, len(flagged(answer)) + 1)
    tab_to("copy-passages")


def test_every_control_has_a_name(address: str, open_page: Open) -> None:
    page = open_page(address)
    summarize(page)
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    controls = {"button", "textbox", "radio", "checkbox", "slider", "link", "progressbar"}
    found = [node for node in nodes if node.get("role", {}).get("value") in controls]
    assert len(found) >= 9
    assert not [node for node in found if not node["name"]["value"]]
    said = [node["name"]["value"].strip() for node in nodes if "name" in node]
    assert {"Important", "score"} <= set(said), said


def test_dark_mode(address: str, open_page: Open) -> None:
    """Other colours, and text that can be read on them where a passage is strongest."""
    colours = {}
    for dark in (False, True):
        page = open_page(address, dark=dark)
        summarize(page)
        colours[dark] = page.evaluate(
            "(() => { const css = getComputedStyle(document.body);"
            " const text = document.querySelector('.text');"
            " return [css.backgroundColor, css.color,"
            " getComputedStyle(text, '::before').backgroundColor,"
            " getComputedStyle(document.querySelector('.small')).color]; })()"
        )
        paper, ink, mark, muted = map(luminance, colours[dark])
        assert (paper < ink) == dark
        for text, background in ((ink, paper), (ink, mark), (muted, paper)):
            contrast = (max(text, background) + 0.05) / (min(text, background) + 0.05)
            assert contrast >= 4.5
    assert not set(colours[False]) & set(colours[True])


def luminance(colour: str) -> float:
    """WCAG's relative luminance of "rgb(r, g, b)"."""
    shares = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_streaming_shows_the_passages_first(address: str, open_page: Open) -> None:
    page = open_page(address)
    page.click("#streaming")
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
    asked = [event["request"]["url"] for event in page.events("Network.requestWillBeSent")]
    assert asked[-1] == f"{address}/summarize/stream"
    assert important(page) == flagged(answer)


def test_streaming_ends_with_the_final_summary(stub: Stub, open_page: Open) -> None:
    page = open_page(stub.address)
    page.click("#streaming")
    summarize(page)
    assert page.texts("#summary") == [answer_to({})["summary"]]


def test_streaming_error_leaves_no_half_summary(stub: Stub, open_page: Open) -> None:
    stub.stream_failure = {"code": "timeout", "message": "It took too long.", "field": None}
    page = open_page(stub.address)
    page.click("#streaming")
    page.click("#example")
    page.press("Enter", CTRL)
    page.wait_for(FAILED)
    assert page.texts("#form-error") == ["It took too long."]
    assert not page.visible("#result")


def changed_answer(change: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    return answer_to(request) | change


def test_notes_say_where_the_summary_comes_from(stub: Stub, open_page: Open) -> None:
    page = open_page(stub.address)
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["Written by the model"]),
        ({"doubt": "empty"}, ["wrote nothing"]),
        ({"doubt": "unsupported_facts"}, ["name, number or date that the article does not have"]),
        ({"doubt": "low_confidence"}, ["not sure enough"]),
        ({"doubt": "misses_salient"}, ["too little of the sentences that matter"]),
        ({"doubt": "something_new"}, ["something_new"]),
        (
            {"truncated": {"source": True, "summary": True}},
            ["Written by the model", "a part of the article", "Cut off"],
        ),
    ]
    for change, notes in cases:
        stub.answer = partial(changed_answer, change)
        summarize(page)
        shown = page.texts("#notes > p")
        assert len(shown) == len(notes)
        assert all(note in text for note, text in zip(notes, shown, strict=True))
        assert ("Extracted, not written" in shown[0]) == ("doubt" in change)


def test_web_address(stub: Stub, open_page: Open) -> None:
    page = open_page(stub.address)
    ask_for_url(page, "news.example.org/ferry?a=1")
    page.wait_for(DONE)
    assert stub.asked == [("/summarize", {"url": "https://news.example.org/ferry?a=1"})]
    assert page.texts("#source") == ["From The ferry & the island"]
    assert page.evaluate("document.querySelector('#source a').href") == stub.asked[0][1]["url"]


def test_a_request_can_be_cancelled(stub: Stub, open_page: Open) -> None:
    cancelled = threading.Event()

    def slow_answer(request: dict[str, Any]) -> dict[str, Any]:
        cancelled.wait(10)
        return answer_to(request)

    stub.answer = slow_answer
    page = open_page(stub.address)
    page.click("#example")
    page.press("Enter", CTRL)
    page.wait_for("document.querySelector('#cancel').checkVisibility()")
    page.press("Enter", CTRL)  # a second request has to wait for the first
    page.click("#cancel")
    page.wait_for("document.querySelector('#status').textContent === 'Cancelled.'")
    assert not page.visible("#cancel") and not page.evaluate(FAILED)
    cancelled.set()
    page.click("#summarize")
    page.wait_for(DONE)
    assert len(stub.asked) == 2


def test_model_card(address: str, open_page: Open) -> None:
    page = open_page(address)
    page.click("#card summary")
    page.wait_for("document.querySelector('#card-body table') !== null")
    with urllib.request.urlopen(f"{address}/model", timeout=60) as response:
        card = json.load(response)
    text = page.texts("#card-body")[0]
    assert card["tag"] in text and card["engine"] in text
    for score in card["evaluation"]["scores"]:
        assert f"{score['value']:.1f}{score['low']:.1f} – {score['high']:.1f}" in text
    assert page.evaluate("document.querySelector('footer a').href") == f"{address}/docs"
