"""The summaries of every system for every test row."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from highlighter.baselines import lead, random_sentences
from highlighter.checkpoint import generation_config
from highlighter.evaluation.columns import SYSTEMS
from highlighter.evaluation.writing import SOURCES, Written, read_and_write
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.model import T5ForHighlighting
from highlighter.oracle import greedy_oracle
from highlighter.reading import ReadArticle, Reader
from highlighter.selection import best_sentences
from highlighter.settings import GenerationSettings, HighlightSettings, TextSettings
from highlighter.trust import doubt


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
    model: T5ForHighlighting,
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
