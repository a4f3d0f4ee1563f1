"""Measure ingesting and tokenizing generated corpora of growing size: rows/s and peak memory.

A corpus repeats real articles, each after a first sentence of its own, so that none is a duplicate.
Each size is a process of its own.
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command import make_parser, parse, positive_int, run_command
from benchmarks.inputs import Article, read_articles
from benchmarks.processes import measure
from benchmarks.report import report
from highlighter.data.features import tokenize_splits
from highlighter.data.sources import load_splits
from highlighter.data.validation import validate_splits
from highlighter.errors import CorpusError
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import FileSource, MapSettings, MinimumRows, TextSettings

_SPLITS = ("train", "validation", "test")
_JUDGED_ROWS = 50  # of the validation and the test split


def main() -> None:
    """Measure each size, print the table, write ingest.json."""
    parser = make_parser("ingest", __doc__, "articles", "vocabulary")
    parser.add_argument("--rows", type=positive_int, nargs="+", default=[1000, 3000, 10000, 30000])
    parser.add_argument("--workers", type=positive_int, default=1)
    options = parse(parser)
    articles = read_articles(options.articles)
    rows = []
    for size in options.rows:
        print(f"{size} rows ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            write_corpus(articles, size, Path(folder))
            run = measure(
                "benchmarks.ingest:process_corpus", options.output / "ingest.log", folder=folder,
                vocabulary=options.vocabulary.resolve(), workers=options.workers,
            )  # fmt: skip
        seconds = run.result
        rows.append(
            {
                "rows": size,
                "ingest s": seconds["ingest"],
                "tokenize s": seconds["tokenize"],
                "rows/s": size / (seconds["ingest"] + seconds["tokenize"]),
                "peak RSS MB": run.peak_rss,
                "without file pages MB": run.peak_without_files,
            }
        )
    report("ingest", rows, options.output, workers=options.workers)


def write_corpus(articles: Sequence[Article], rows: int, folder: Path) -> None:
    """Write train.jsonl with `rows` rows, validation.jsonl and test.jsonl."""
    first = 0
    for split, count in zip(_SPLITS, (rows, _JUDGED_ROWS, _JUDGED_ROWS), strict=True):
        with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as file:
            for number in range(first, first + count):
                row = articles[number % len(articles)]
                text = f"This is report number {number}. {row.article}"
                file.write(json.dumps({"article": text, "highlights": row.highlights}) + "\n")
        first += count


def process_corpus(folder: str, vocabulary: str, workers: int) -> dict[str, float]:
    """Run what the first two steps do on a corpus; return the seconds of each step.

    Raises:
        CorpusError: a row was left out, so that fewer rows would be measured.
    """
    place = Path(folder)
    files = {split: str(place / f"{split}.jsonl") for split in _SPLITS}
    began = time.perf_counter()
    raw = load_splits(FileSource(kind="files", **files), seed=13, cache_folder=place)
    articles, validation = validate_splits(raw, MinimumRows(), "benchmark", place, workers=workers)
    ingested = time.perf_counter()
    if any(counts.kept != counts.read for counts in validation.counts.values()):
        raise CorpusError(f"rows of the generated corpus were left out: {validation.left_out}")
    mapping = MapSettings(workers=workers)
    tokenize_splits(articles, load_tokenizer(vocabulary), TextSettings(), mapping, place)
    return {"ingest": ingested - began, "tokenize": time.perf_counter() - ingested}


if __name__ == "__main__":
    sys.exit(run_command(main))
