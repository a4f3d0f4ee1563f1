"""Measure fine-tuning beside the two loops people would otherwise write (`contenders.py`).

Same random weights of a T5's shape, same articles, same learning rate; a process for each
measurement, one after the other, all of them in every round. The loss is that of the same
validation rows after the same number of examples. On a GPU where torch sees one; then the rate of
a large bf16 product is measured as well, and speeds are compared with it.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.articles import read_articles
from benchmarks.command import positive_int, run_command
from benchmarks.contenders import Outcome
from benchmarks.flops import count_work
from benchmarks.machine import PRODUCT_SIZE, choose_gpu, describe_machine, product_rate
from benchmarks.processes import ServerError, last_lines, python, start
from benchmarks.shapes import SHAPES, random_weights
from benchmarks.training_table import Contender, plot_training, show, summarize
from highlighter.errors import CorpusError
from highlighter.model.build import build_model
from highlighter.model.tokenizer import load_tokenizer

_BASELINES = ("student", "summarization")
_DEFAULT = [
    Contender("student", 4),
    Contender("summary", 4),
    Contender("summarization", 4),
    Contender("highlights", 4),
    Contender("summarization", 8),
    Contender("summary", 8),
]


def main() -> None:
    """Measure, print the table, write training.json and training.png."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--articles", type=Path, required=True, help="JSON lines with highlights")
    parser.add_argument("--vocabulary", type=Path, required=True, help="folder with spiece.model")
    parser.add_argument("--shape", choices=SHAPES, default="t5-small")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--contenders", type=_contender, nargs="+", default=_DEFAULT)
    parser.add_argument("--examples", type=positive_int, default=32, help="of each measurement")
    parser.add_argument("--validation", type=positive_int, default=48, help="rows for the loss")
    parser.add_argument("--rounds", type=positive_int, default=2)
    parser.add_argument("--output", type=Path, default=Path("work/benchmarks"), help="folder")
    options = parser.parse_args()
    check_rows(options.articles, options.examples, options.validation, options.contenders)
    gpu = choose_gpu(options.device)
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    outcomes: dict[Contender, list[Outcome]] = {each: [] for each in options.contenders}
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights"
        tokenizer = load_tokenizer(str(options.vocabulary))
        model = build_model(random_weights(options.shape, options.vocabulary), tokenizer, seed=13)
        model.save(weights)
        tokenizer.save_pretrained(weights)
        trained = read_articles(options.articles)[: options.examples]
        work = count_work(model.config, tokenizer, trained)
        del model  # the contenders need the memory
        rows = {"articles": options.articles.resolve(), "weights": weights}
        sizes = {"examples": options.examples, "validation": options.validation}
        for number in range(options.rounds):
            for contender in options.contenders:
                print(f"round {number + 1}, {contender.name} ...", file=sys.stderr, flush=True)
                outcome = _measure(contender, {**rows, **sizes}, output, gpu)
                outcomes[contender].append(outcome)
                print(f"  {outcome.model_dump_json()}", file=sys.stderr, flush=True)
    baselines = [each for each in options.contenders if each.system in _BASELINES]
    # Last: a process that holds a GPU may keep others off it.
    peak = product_rate(torch.device("cuda")) if gpu else None
    report = summarize(outcomes, baselines, work, peak)
    machine = describe_machine()
    if peak:
        machine += f", {peak / 1e12:.0f} TFLOP/s measured with bf16 products of {PRODUCT_SIZE} rows"
    print(f"{options.shape} on {'the GPU' if gpu else 'the CPU'}: {machine}")
    print(show(report))
    record = {
        "machine": machine,
        "shape": options.shape,
        "device": "cuda" if gpu else "cpu",
        **sizes,
        "example": work.model_dump(),
        "measured_bf16_flops_per_second": peak,
        "rows": [row.model_dump() for row in report],
        "outcomes": {c.name: [o.model_dump() for o in each] for c, each in outcomes.items()},
    }
    (output / "training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    plot_training(report).savefig(output / "training.png", dpi=90)


def check_rows(file: Path, examples: int, validation: int, contenders: Sequence[Contender]) -> None:
    """Raise CorpusError if rows or highlights are missing, or a batch would not be whole."""
    rows = read_articles(file)
    if len(rows) < examples + validation:
        raise CorpusError(f"{file}: {len(rows)} rows; {examples} + {validation} are needed.")
    for number, row in enumerate(rows, start=1):
        if not row.highlights:
            raise CorpusError(f"{file}, row {number}: no highlights to train on.")
    for contender in contenders:
        if examples % contender.batch_size or examples == contender.batch_size:
            raise CorpusError(
                f"--examples {examples}: {contender.name} needs two whole batches or more; "
                "the first is not timed."
            )


def _measure(contender: Contender, arguments: dict[str, object], output: Path, gpu: str) -> Outcome:
    """Run a contender as a process of its own that sees this GPU, and read what it writes."""
    log = output / "contender.log"
    with tempfile.TemporaryDirectory() as folder:
        options = {
            "system": contender.system,
            "batch-size": contender.batch_size,
            "folder": folder,
            **arguments,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = python("benchmarks.contenders", *words)
        with start(command, log, environment=os.environ | {"CUDA_VISIBLE_DEVICES": gpu}) as process:
            if process.wait():
                raise ServerError(f"{contender.name} failed:\n{last_lines(log)}")
        outcome = Outcome.model_validate_json((Path(folder) / "outcome.json").read_bytes())
    log.unlink()
    return outcome


def _contender(text: str) -> Contender:
    system, _, batch_size = text.partition(":")
    if system not in {each.system for each in _DEFAULT}:
        raise argparse.ArgumentTypeError(f"{text}: write SYSTEM:BATCH, such as summary:8")
    return Contender(system, positive_int(batch_size))


if __name__ == "__main__":
    sys.exit(run_command(main))
