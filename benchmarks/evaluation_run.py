"""One evaluation, timed, in a process of its own (`benchmarks/evaluation.py` starts it)."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import datasets
from pydantic import BaseModel

from benchmarks.articles import Article, read_articles
from benchmarks.command import positive_int, run_command
from benchmarks.plain_evaluation import PlainEvaluation, score
from highlighter.data.windows import encode_articles, encode_prefix, window_budget
from highlighter.evaluation.aggregate import sum_up
from highlighter.evaluation.scoring import score_rows
from highlighter.evaluation.systems import run_systems
from highlighter.inference.summarizer import Summarizer
from highlighter.metrics.rouge import one_sentence_a_line
from highlighter.model.checkpoint import finish_checkpoint, read_text_settings
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import (
    ROUGE_TYPES,
    EvaluationSettings,
    GenerationSettings,
    HighlightSettings,
)
from highlighter.system.memory import keep_freed_memory

BASELINE, PROJECT, WHOLE = "baseline", "project", "project, whole"
SYSTEMS = (BASELINE, PROJECT, WHOLE)


class Run(BaseModel):
    """Seconds of writing and of scoring; ROUGE F1 in percent; what was written."""

    writing: float
    scoring: float
    rouge: dict[str, float]
    summaries: list[str]


def main() -> None:
    """Evaluate, and write a `Run` to --output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation_run")
    parser.add_argument("--system", choices=SYSTEMS, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--articles", type=Path, required=True)
    parser.add_argument("--rows", type=positive_int, required=True)
    parser.add_argument("--generation", type=GenerationSettings.model_validate_json, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    articles = read_articles(options.articles)[: options.rows]
    if options.system != WHOLE:
        articles = cut_to_window(articles, options.checkpoint)
    run = (evaluate_plainly if options.system == BASELINE else evaluate)(
        options.checkpoint, articles, options.generation
    )
    options.output.write_text(run.model_dump_json(), encoding="utf-8")


def cut_to_window(articles: list[Article], checkpoint: Path) -> list[Article]:
    """The whole sentences of each article that fit into the model's window, from its start.

    The baseline reads no more than a window; on these both read the same.
    """
    tokenizer = load_tokenizer(str(checkpoint))
    text = read_text_settings(checkpoint)
    budget = window_budget(encode_prefix(tokenizer, text), text)
    encoded = encode_articles([article.article for article in articles], tokenizer, budget)
    cut = []
    for article, segments in zip(articles, encoded, strict=True):
        end, room = 0, budget
        for sentence, tokens in zip(segments.sentence_of_segment, segments.segments, strict=True):
            room -= len(tokens)
            if room < 0:
                break
            end = segments.sentences[sentence].end
        cut.append(article.model_copy(update={"article": article.article[:end]}))
    return cut


def evaluate_plainly(
    checkpoint: Path, articles: list[Article], generation: GenerationSettings
) -> Run:
    """The baseline's evaluation of a checkpoint."""
    plain = PlainEvaluation(checkpoint)
    started = time.perf_counter()
    summaries = plain.write([article.article for article in articles], generation)
    written = time.perf_counter()
    rouge = score(
        [one_sentence_a_line(summary) for summary in summaries],
        [one_sentence_a_line(article.highlights or "") for article in articles],
    )
    scored = time.perf_counter()
    return Run(
        writing=written - started, scoring=scored - written, rouge=rouge, summaries=summaries
    )


def evaluate(checkpoint: Path, articles: list[Article], generation: GenerationSettings) -> Run:
    """The project's evaluation, as its step does it; the summaries are those from the start."""
    keep_freed_memory()
    rows = datasets.Dataset.from_list(
        [
            {"id": str(number), "group": None, **article.model_dump()}
            for number, article in enumerate(articles)
        ]
    )
    highlights, settings = HighlightSettings(), EvaluationSettings()
    with tempfile.TemporaryDirectory() as folder:
        finish_checkpoint(checkpoint, generation, highlights, Path(folder, "served"))
        summarizer = Summarizer.load(Path(folder, "served"))
    started = time.perf_counter()
    rows = run_systems(summarizer, rows, batch_size=settings.batch_size, oracle_sentences=3, seed=0)
    written = time.perf_counter()
    evaluation = sum_up(
        score_rows(rows, settings.workers),
        writer="torch", test_fingerprint="", generation=generation, highlights=highlights,
        settings=settings, seed=0,
    )  # fmt: skip
    scored = time.perf_counter()
    system = evaluation.systems["abstractive_first"]
    return Run(
        writing=written - started,
        scoring=scored - written,
        rouge={name: system.rouge[name].mean for name in ROUGE_TYPES},
        summaries=rows["abstractive_first"][:],
    )


if __name__ == "__main__":
    sys.exit(run_command(main))
