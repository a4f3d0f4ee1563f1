"""The summaries of every system for every test row, baselines included."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tqdm.auto import tqdm
from transformers import GenerationConfig, PreTrainedTokenizerBase

from highlighter.data.oracle import greedy_oracle
from highlighter.evaluation.record import SYSTEMS
from highlighter.inference.constraints import WordList
from highlighter.inference.extraction import best_sentences
from highlighter.inference.generation import Generated, generate_summaries
from highlighter.inference.reader import ReadArticle, Reader
from highlighter.inference.trust import doubt
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.model.checkpoint import generation_config
from highlighter.model.model import HighlightModel
from highlighter.settings import GenerationSettings, HighlightSettings, TextSettings


def lead(sentences: Sequence[str], count: int = 3) -> list[int]:
    """Indices of the first sentences."""
    return list(range(min(count, len(sentences))))


def random_sentences(sentences: Sequence[str], seed: str, count: int = 3) -> list[int]:
    """Indices, ascending, of sentences drawn without replacement; the same for the same seed."""
    drawn = random.Random(seed).sample(range(len(sentences)), min(count, len(sentences)))
    return sorted(drawn)


SOURCES = ("first", "selected")


@dataclass(frozen=True)
class Written:
    """An article as it was read, and by the source's name its ids and what was written from it."""

    read: ReadArticle
    sources: dict[str, list[int]]
    outputs: dict[str, Generated]


def read_and_write(
    model: HighlightModel,
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
            model.seq2seq,
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


@dataclass(frozen=True)
class Outputs:
    """Per row: each system's text, the indices extractors chose, and how the article was read.

    `sources` are the texts the decoder could read: the article's "first" or "selected" sentences.
    """

    texts: dict[str, list[str]]
    sources: dict[str, list[str]]
    chosen: dict[str, list[list[int]]]
    read: list[ReadArticle]
    fits: list[bool]
    generated_tokens: list[int]
    cut_off: list[bool]
    confidence: list[float]
    doubt: list[str | None]


def write_summaries(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    articles: Sequence[str],
    references: Sequence[str],
    *,
    text: TextSettings,
    highlights: HighlightSettings,
    generation: GenerationSettings,
    batch_size: int,
    seed: int,
) -> Outputs:
    """Read every article once, write its summary from both sources, and extract."""
    reader = Reader(model, tokenizer, text)
    written = read_and_write(
        model,
        tokenizer,
        reader,
        articles,
        generation_config(generation, tokenizer),
        highlights=highlights,
        batch_size=batch_size,
    )
    read = [result.read for result in written]
    texts = {f"abstractive_{name}": _decode(tokenizer, written, name) for name in SOURCES}
    chosen_outputs = [result.outputs[highlights.source] for result in written]
    lengths = [len(output.ids) for output in chosen_outputs]
    cut_off = [length >= generation.max_new_tokens for length in lengths]
    confidence = [output.confidence for output in chosen_outputs]
    texts["abstractive"] = texts[f"abstractive_{highlights.source}"]
    chosen: dict[str, list[list[int]]] = {
        name: [] for name in ("extractive", "lead3", "random3", "oracle")
    }
    for name in chosen:
        texts[name] = []
    for number, (article, reference, result) in enumerate(
        zip(articles, references, read, strict=True)
    ):
        sentences = [article[start:end] for start, end in result.encoded.sentences]
        picks = {
            "extractive": best_sentences(
                sentences, result.scores, highlights.sentences, highlights.trigram_blocking
            ),
            "lead3": lead(sentences),
            "random3": random_sentences(sentences, seed=f"{seed}-{number}"),
            "oracle": greedy_oracle(sentences, reference),
        }
        for name, indices in picks.items():
            chosen[name].append(indices)
            texts[name].append("\n".join(sentences[i] for i in indices))
    doubts = [
        doubt(summary, sure, ArticleFacts(article), salient, highlights.trust, cut_off=cut)
        for summary, sure, article, salient, cut in zip(
            texts["abstractive"], confidence, articles, texts["extractive"], cut_off, strict=True
        )
    ]
    texts["served"] = [
        texts["extractive" if reason else "abstractive"][number]
        for number, reason in enumerate(doubts)
    ]
    return Outputs(
        texts={name: texts[name] for name in SYSTEMS},
        sources={
            name: tokenizer.batch_decode(
                [result.sources[name] for result in written], skip_special_tokens=True
            )
            for name in SOURCES
        },
        chosen=chosen,
        read=read,
        fits=[reader.fits(result) for result in read],
        generated_tokens=lengths,
        cut_off=cut_off,
        confidence=confidence,
        doubt=list(doubts),
    )


def _decode(
    tokenizer: PreTrainedTokenizerBase, written: Sequence[Written], source: str
) -> list[str]:
    summaries = tokenizer.batch_decode(
        [result.outputs[source].ids for result in written], skip_special_tokens=True
    )
    return [summary.strip() for summary in summaries]
