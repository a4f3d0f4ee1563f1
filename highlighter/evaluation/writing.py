"""Read articles and write their summaries, from both sources, in one pass over them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tqdm.auto import tqdm
from transformers import GenerationConfig, PreTrainedTokenizerBase

from highlighter.article_words import WordList
from highlighter.generation import Generated, generate_summaries
from highlighter.model import T5ForHighlighting
from highlighter.reading import ReadArticle, Reader
from highlighter.settings import HighlightSettings

SOURCES = ("first", "selected")


@dataclass(frozen=True)
class Written:
    """An article as it was read, and by the source's name its ids and what was written from it."""

    read: ReadArticle
    sources: dict[str, list[int]]
    outputs: dict[str, Generated]


def read_and_write(
    model: T5ForHighlighting,
    tokenizer: PreTrainedTokenizerBase,
    reader: Reader,
    articles: Sequence[str],
    config: GenerationConfig,
    *,
    highlights: HighlightSettings,
    batch_size: int,
) -> list[Written]:
    """All articles, in order. Those of like length go together, so that little is padding.

    An article's start is a source and the first window as well: the encoder reads it once.
    """
    order = sorted(range(len(articles)), key=lambda i: -len(articles[i]))
    results: dict[int, Written] = {}
    starts = range(0, len(order), batch_size)
    for start in tqdm(starts, desc="summarizing", unit="batch"):
        indices = order[start : start + batch_size]
        read, states = reader.read_and_encode([articles[i] for i in indices], batch_size)
        firsts = [reader.source(article, 0) for article in read]
        selections = [reader.source(article, highlights.sentences) for article in read]
        # Most articles fit, and then both sources are one, which is written once.
        longer = [n for n in range(len(read)) if selections[n] != firsts[n]]
        words = None
        if highlights.trust.names_from_article:
            lists = [WordList(articles[i]) for i in indices]
            words = [*lists, *(lists[n] for n in longer)]
        outputs = generate_summaries(
            model,
            tokenizer,
            [*firsts, *(selections[n] for n in longer)],
            config,
            batch_size=batch_size,
            words=words,
            encoded=[*states, *(None for _ in longer)],
        )
        of_selection = dict(zip(longer, outputs[len(firsts) :], strict=True))
        for number, index in enumerate(indices):
            first = outputs[number]
            results[index] = Written(
                read[number],
                {"first": firsts[number], "selected": selections[number]},
                {"first": first, "selected": of_selection.get(number, first)},
            )
    return [results[index] for index in range(len(articles))]
