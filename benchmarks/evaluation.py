"""Measure an evaluation beside the one people would otherwise write (`plain_evaluation.py`).

Same weights, beams and lengths, one run after the other in turns. `baseline` and `project` read
the same text of each article, what fits into one window; the project's evaluation compares eight
systems where the baseline scores one. `project, whole` is its evaluation as it is in the pipeline:
it reads articles to their end, and writes longer ones from two sources. Loading is not counted.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path

import torch

from benchmarks.articles import read_articles
from benchmarks.command import positive_int, run_command
from benchmarks.evaluation_report import Measured, compare_evaluations, plot_evaluations
from benchmarks.evaluation_run import SYSTEMS, WHOLE, Run
from benchmarks.memory import MemoryWatch
from benchmarks.processes import ServerError, last_lines, python, start
from benchmarks.shapes import random_weights
from highlighter.embedded import CHECKPOINT
from highlighter.errors import CorpusError
from highlighter.model.build import build_model
from highlighter.model.checkpoint import save_checkpoint
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import GenerationSettings, TextSettings


def main() -> None:
    """Measure, print the table, write evaluation.json and evaluation.png."""
    options = _options()
    articles = read_articles(options.articles)[: options.rows]
    for number, article in enumerate(articles, start=1):
        if not article.highlights:
            raise CorpusError(f"{options.articles}, article {number}: no `highlights` to score by.")
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    checkpoint = options.checkpoint
    if options.vocabulary:
        checkpoint = _make_t5_small(options.vocabulary, output / "t5_small")
    generation = GenerationSettings(
        num_beams=options.beams, max_new_tokens=options.max_new_tokens, length_penalty=1.0
    )
    systems = [system for system in SYSTEMS if not (options.no_whole and system == WHOLE)]
    measured = []
    for turn in range(1, options.rounds + 1):
        for system in systems:
            print(f"{system}, run {turn} of {options.rounds} ...", file=sys.stderr)
            given = {
                "--system": system,
                "--checkpoint": checkpoint.resolve(),
                "--articles": options.articles.resolve(),
                "--rows": len(articles),
                "--generation": generation.model_dump_json(),
            }
            measured.append(_measure(system, given, output))
    report = compare_evaluations(measured)
    print(report.text())
    record = {
        "articles": len(articles),
        "rounds": options.rounds,
        "generation": generation.model_dump(),
        "machine": f"{len(os.sched_getaffinity(0))} cores of {platform.machine()}, "
        f"torch {torch.__version__} with {torch.backends.cpu.get_cpu_capability()}",
        **report.model_dump(mode="json"),
    }
    print(record["machine"])
    (output / "evaluation.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    plot_evaluations(report.rows).savefig(output / "evaluation.png", dpi=120)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evaluation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--articles", type=Path, required=True, help="JSON lines: `article` and `highlights`"
    )
    model = parser.add_mutually_exclusive_group()
    model.add_argument(
        "--checkpoint", type=Path, default=CHECKPOINT, help="folder; default: the small T5"
    )
    model.add_argument(
        "--vocabulary",
        type=Path,
        help="folder with T5's spiece.model: a T5 of T5-small's shape with random weights, which "
        "never ends a summary, so that each has --max-new-tokens",
    )
    parser.add_argument("--rows", type=positive_int, default=32, help="articles, from the start")
    parser.add_argument("--beams", type=positive_int, default=4)
    parser.add_argument("--max-new-tokens", type=positive_int, default=64)
    parser.add_argument("--rounds", type=positive_int, default=3, help="runs of each system")
    parser.add_argument("--no-whole", action="store_true", help="leave `project, whole` out")
    parser.add_argument("--output", type=Path, default=Path("work/benchmarks"), help="folder")
    return parser.parse_args()


def _make_t5_small(vocabulary: Path, folder: Path) -> Path:
    """A checkpoint of T5-small's shape; the same at every call."""
    tokenizer = load_tokenizer(str(vocabulary))
    shape = random_weights("t5-small", vocabulary)
    save_checkpoint(folder, build_model(shape, tokenizer, seed=13), tokenizer, TextSettings())
    return folder


def _measure(system: str, given: dict[str, object], output: Path) -> Measured:
    """Run it as a process of its own, and read what it writes."""
    log, result = output / "evaluation_run.log", output / "evaluation_run.json"
    words = [str(word) for option in ({**given, "--output": result}).items() for word in option]
    with (
        start(python("benchmarks.evaluation_run", *words), log) as process,
        MemoryWatch(process.pid) as memory,
    ):
        if process.wait():
            raise ServerError(f"{system} failed:\n{last_lines(log)}")
    run = Run.model_validate_json(result.read_bytes())
    log.unlink()
    result.unlink()
    return Measured(system, run, memory.peak)


if __name__ == "__main__":
    sys.exit(run_command(main))
