"""Operations and memory of every stage before the model are linear in the article, of any shape.

Operations are lines of Python that run; what one line does in C shows in the memory only.
"""

import sys
import tracemalloc
from collections.abc import Callable
from functools import cache, partial
from types import FrameType
from typing import Any

import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.data.sentence_features import describe_segments, token_table
from highlighter.data.sentences import sentence_texts, split_paragraphs, split_sentences
from highlighter.data.windows import encode_articles, plan_windows
from highlighter.inference.assembly import best_sentences, mark_paragraphs, quote_sentences
from highlighter.inference.word_list import WordList
from highlighter.metrics.contradictions import find_contradictions
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.metrics.rouge import score_rouge
from highlighter.metrics.text import coverage

_SMALL, _LARGE = 600, 2_400  # characters
_MOST_GROWTH = 5  # of lines and memory, when the article is four times as long

SHAPES = {
    "one word": "a",
    "one capital": "A",
    "hyphens": "Aa-",
    "family emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "combining marks": "e\u0301\u0302\u0303",
    "marks alone": "\u0301",
    "invisible": "a\u200b\u00ad",
    "sentences": "Ab c. ",
    "questions": "Why? ",
    "initials": "A. ",
    "stops": "a.",
    "line breaks": "a\n",
    "paragraphs": "A b.\r\n\r\n",
    "wrapped lines": "the council said on\nTuesday that it ",
    "numbers": "12,345.6 ",
    "digits": "7",
    "points": "1. A ",
    "capitals": "BBC ",
    "names": "Ann Holt of ",
    "quotation marks": "“A,” ",
    "e-mail": "> a b\n",
    "table": "a\t| b\n",
    "markup": "<p><b>a ",
    "scripts": "Привет Ελλάδα עברית عربي देश ไทย 日本語 ひらがな 한국어 "
    "አማርኛ ქართული Հայ বাংলা தமிழ் ខ្មែរ 𐐀𐐨 ",
    "no spaces": "日本語の記事です。",
}  # fmt: skip

_table = cache(token_table)
Stage = Callable[[str, PreTrainedTokenizerBase], object]


def read(article: str, tokenizer: PreTrainedTokenizerBase) -> object:
    [encoded] = encode_articles([article], tokenizer, budget=64)
    plan_windows([len(segment) for segment in encoded.segments], 64, 16)
    return describe_segments(encoded.segments, _table(tokenizer))


def assemble(article: str, _: PreTrainedTokenizerBase) -> object:
    sentences = split_sentences(article)
    scores = [index % 7 / 7 for index in range(len(sentences))]
    mark_paragraphs(article, sentences, scores, None, 0.5, default=3)
    texts = [article[start:end] for start, end in sentences]
    chosen = best_sentences(texts, scores, len(texts), trigram_blocking=True)
    return quote_sentences(article, sentences, chosen)


STAGES: dict[str, Stage] = {
    "split": lambda article, _: (split_paragraphs(article), split_sentences(article)),
    "read": read,
    "words": lambda article, _: WordList(article),
    "facts": lambda article, _: ArticleFacts(article).unsupported("Ann Holt paid 12% on 3 May."),
    "contradictions": lambda article, _: find_contradictions(
        "It is not so.", sentence_texts(article)
    ),
    "assembly": assemble,
    "coverage": lambda article, _: coverage(article, article),
    "rouge": lambda article, _: score_rouge([article], ["Ann Holt paid 12% on 3 May."]),
}


def lines_run(work: Callable[[], object]) -> int:
    """Return how many lines of Python the work runs."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


def peak_memory(work: Callable[[], object]) -> int:
    """Return the bytes that the work allocates at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def growth(run: Callable[[str], object], unit: str) -> tuple[float, float]:
    """Return how many times more lines and memory a text takes that is four times as long."""
    texts = [(unit * size)[:size] for size in (_SMALL, _LARGE)]
    lines = [lines_run(partial(run, text)) for text in texts]
    memory = [peak_memory(partial(run, text)) for text in texts]
    return lines[1] / lines[0], memory[1] / memory[0]


@pytest.mark.parametrize("stage", STAGES)
def test_operations_and_memory_of_a_stage_are_linear_in_the_article(
    stage: str, tokenizer: PreTrainedTokenizerBase
) -> None:
    def run(article: str) -> object:
        return STAGES[stage](article, tokenizer)

    run("Ann Holt paid 12% on 3 May. It rained.")  # fills caches
    found = {shape: growth(run, unit) for shape, unit in SHAPES.items()}
    assert {shape: values for shape, values in found.items() if max(values) > _MOST_GROWTH} == {}


def test_quadratic_lines_and_memory_are_noticed() -> None:
    def prefixes(text: str) -> set[str]:
        return {text[:end] for end in range(len(text))}

    def pairs(text: str) -> int:
        return sum(
            a == b
            for a in text[::40]
            for b in text[::40]
        )  # fmt: skip

    assert growth(prefixes, "a")[1] > 2 * _MOST_GROWTH
    assert growth(pairs, "a")[0] > 2 * _MOST_GROWTH
