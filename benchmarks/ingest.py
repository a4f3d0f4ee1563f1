"""Measure ingesting and tokenizing made-up corpora of growing size: rows/s and peak memory.

A corpus repeats real articles, each under a first sentence of its own, so that none is a duplicate.
Each size is a process of its own; the lines below the table are what a thousand rows more cost.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from pydantic import BaseModel

from benchmarks.articles import Article, read_articles
from benchmarks.command import positive_int, run_command
from benchmarks.figures import number, table
from benchmarks.machine import describe_machine
from benchmarks.memory import MemoryWatch, tree_own
from benchmarks.processes import ServerError, last_lines, python, start
from highlighter.errors import CorpusError

_JUDGED = 50  # rows of the validation and of the test split


class Stages(BaseModel):
    """Seconds of each stage."""

    ingest: float
    tokenize: float


class Row(BaseModel):
    """One size: its stages, and the peak RSS of the process and its workers in MB.

    `peak_own`: without the pages of mapped files, which count as long as nobody needs the memory.
    """

    rows: int
    stages: Stages
    peak_rss: float
    peak_own: float

    @property
    def rows_per_second(self) -> float:
        """Of both stages together."""
        return self.rows / (self.stages.ingest + self.stages.tokenize)


def write_corpus(articles: Sequence[Article], rows: int, folder: Path) -> None:
    """train.jsonl with so many rows, and validation.jsonl and test.jsonl."""
    first = 0
    for split, count in (("train", rows), ("validation", _JUDGED), ("test", _JUDGED)):
        with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as file:
            for place in range(first, first + count):
                row = articles[place % len(articles)]
                article = f"This is report number {place}. {row.article}"
                file.write(json.dumps({"article": article, "highlights": row.highlights}) + "\n")
        first += count


def process_corpus(folder: Path, vocabulary: Path, workers: int) -> Stages:
    """What the first two steps do with it."""
    from highlighter.data.features import tokenize_splits
    from highlighter.data.sources import load_splits
    from highlighter.data.validation import validate_splits
    from highlighter.model.tokenizer import load_tokenizer
    from highlighter.settings import FileSource, MapSettings, MinimumRows, TextSettings

    files = {split: str(folder / f"{split}.jsonl") for split in ("train", "validation", "test")}
    began = time.perf_counter()
    raw = load_splits(FileSource(kind="files", **files), seed=13, cache_folder=folder)
    articles, report = validate_splits(raw, MinimumRows(), "benchmark", folder, workers)
    ingested = time.perf_counter()
    if any(counts.kept != counts.read for counts in report.counts.values()):
        raise CorpusError(f"rows were left out, so it is no fair corpus: {report.left_out}")
    mapping = MapSettings(workers=workers)
    tokenize_splits(articles, load_tokenizer(str(vocabulary)), TextSettings(), mapping, folder)
    return Stages(ingest=ingested - began, tokenize=time.perf_counter() - ingested)


def slopes(rows: Sequence[Row]) -> tuple[float, float]:
    """Least-squares seconds and MB for each further row."""
    sizes = [row.rows for row in rows]
    seconds = [row.stages.ingest + row.stages.tokenize for row in rows]
    return (
        float(np.polyfit(sizes, seconds, 1)[0]),
        float(np.polyfit(sizes, [row.peak_rss for row in rows], 1)[0]),
    )


def show(rows: Sequence[Row]) -> str:
    """The table, and the slopes where there are two sizes."""
    header = ["rows", "ingest s", "tokenize s", "rows/s", "peak RSS MB", "without files MB"]
    cells = [
        [str(r.rows), number(r.stages.ingest, 1), number(r.stages.tokenize, 1)]
        + [number(r.rows_per_second, 0), number(r.peak_rss, 0), number(r.peak_own, 0)]
        for r in rows
    ]
    lines = [table(header, cells)]
    if len(rows) > 1:
        seconds, megabytes = slopes(rows)
        lines.append(f"1,000 rows more: {1000 * seconds:.2f} s, {1000 * megabytes:.2f} MB")
    return "\n".join(lines)


def plot_ingest(rows: Sequence[Row]) -> Figure:
    """Seconds and peak memory by rows; nothing is saved here."""
    figure = Figure(figsize=(10, 3.5), layout="constrained")
    panels = {
        "seconds": [row.stages.ingest + row.stages.tokenize for row in rows],
        "peak RSS (MB)": [row.peak_rss for row in rows],
    }
    for axes, (label, values) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        axes.plot([row.rows for row in rows], values, marker="o", color="#1f4e79")
        axes.set(xlabel="rows", ylabel=label)
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    """Measure each size, print the table, write ingest.json and ingest.png."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--articles", type=Path, required=True, help="JSON lines with highlights")
    parser.add_argument("--vocabulary", type=Path, required=True, help="folder with spiece.model")
    parser.add_argument("--rows", type=positive_int, nargs="+", default=[1000, 3000, 10000, 30000])
    parser.add_argument("--workers", type=positive_int, default=1)
    parser.add_argument("--output", type=Path, default=Path("work/benchmarks"), help="folder")
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)  # in the process measured
    options = parser.parse_args()
    if options.corpus:
        stages = process_corpus(options.corpus, options.vocabulary, options.workers)
        (options.corpus / "stages.json").write_text(stages.model_dump_json())
        return
    articles = read_articles(options.articles)
    if not all(article.highlights for article in articles):
        raise CorpusError(f"{options.articles}: every row needs highlights.")
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    rows = []
    for size in options.rows:
        print(f"{size} rows ...", file=sys.stderr, flush=True)
        rows.append(_measure(articles, size, options, output / "ingest.log"))
        print(f"  {rows[-1].model_dump_json()}", file=sys.stderr, flush=True)
    print(describe_machine())
    print(show(rows))
    record = {"machine": describe_machine(), "workers": options.workers}
    text = json.dumps({**record, "rows": [row.model_dump() for row in rows]}, indent=2)
    (output / "ingest.json").write_text(text + "\n", encoding="utf-8")
    plot_ingest(rows).savefig(output / "ingest.png", dpi=80)


def _measure(articles: Sequence[Article], size: int, options: argparse.Namespace, log: Path) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        write_corpus(articles, size, Path(folder))
        command = python(
            "benchmarks.ingest",
            *("--articles", str(options.articles.resolve()), "--corpus", folder),
            *("--vocabulary", str(options.vocabulary.resolve())),
            *("--workers", str(options.workers)),
        )
        with (
            start(command, log) as process,
            MemoryWatch(process.pid, interval=0.2) as memory,
            MemoryWatch(process.pid, interval=0.2, measure=tree_own) as own,
        ):
            if process.wait():
                raise ServerError(f"{size} rows failed:\n{last_lines(log)}")
        stages = Stages.model_validate_json((Path(folder) / "stages.json").read_bytes())
    log.unlink()
    return Row(rows=size, stages=stages, peak_rss=memory.peak, peak_own=own.peak)


if __name__ == "__main__":
    sys.exit(run_command(main))
