"""Measure fine-tuning next to two loops that users would write otherwise (`contenders.py`).

All start from the same random weights of a T5's shape and see the same articles at the same
learning rate. Each measurement is a process of its own; every round measures each contender once.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForSeq2SeqLM, PretrainedConfig, PreTrainedTokenizerBase

from benchmarks.command import make_parser, parse, positive_int, run_command
from benchmarks.contenders import CONTENDERS, TEXT, encode
from benchmarks.inputs import SHAPES, Article, random_model, read_articles
from benchmarks.processes import measure
from benchmarks.report import report
from highlighter.errors import CorpusError, TrainingError
from highlighter.model.build import build_model
from highlighter.model.tokenizer import load_tokenizer

_BASELINES = ("student", "summarization", "summarization-bf16")
_CNN_DAILYMAIL = 287_113  # rows of its training split


class Contender(NamedTuple):
    """A key of CONTENDERS, and its batch size."""

    system: str
    batch_size: int

    @property
    def name(self) -> str:
        """Such as "summary:4"."""
        return f"{self.system}:{self.batch_size}"


_DEFAULT = [
    Contender("student", 4),
    Contender("summarization", 4),
    Contender("summarization-bf16", 4),
    Contender("summary", 4),
    Contender("highlights", 4),
    Contender("summarization", 8),
    Contender("summary", 8),
]


def main() -> None:
    """Measure, print the table, write training.json."""
    parser = make_parser("training", __doc__, "articles", "vocabulary")
    parser.add_argument("--shape", choices=SHAPES, default="t5-small")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument(
        "--contenders", type=contender, nargs="+", default=_DEFAULT, help="SYSTEM:BATCH"
    )
    parser.add_argument("--examples", type=positive_int, default=32, help="of each measurement")
    parser.add_argument("--validation", type=positive_int, default=48, help="rows for the loss")
    parser.add_argument("--rounds", type=positive_int, default=2)
    parser.add_argument(
        "--price", type=float, help="dollars per hour of this machine, for the cost of an epoch"
    )
    options = parse(parser)
    rows = read_articles(options.articles, options.examples + options.validation)
    check_batches(options.examples, options.contenders)
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif not torch.cuda.is_available():
        raise TrainingError("--device cuda: torch finds no GPU. Omit it to use the CPU.")
    else:  # a trainer that finds several GPUs puts a batch on each of them
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    outcomes: dict[Contender, list[dict[str, Any]]] = {each: [] for each in options.contenders}
    with tempfile.TemporaryDirectory() as weights:
        tokenizer = load_tokenizer(str(options.vocabulary))
        model = build_model(random_model(options.shape, options.vocabulary), tokenizer, seed=13)
        model.save(Path(weights))
        tokenizer.save_pretrained(weights)
        config = model.config
        del model  # the contenders need the memory
        tokens, flops = count_work(config, tokenizer, rows[: options.examples])
        for _ in range(options.rounds):
            for each in options.contenders:
                print(f"{each.name} ...", file=sys.stderr, flush=True)
                run = measure(
                    "benchmarks.contenders:run_contender", options.output / "training.log",
                    system=each.system, batch_size=each.batch_size, weights=weights,
                    articles=options.articles.resolve(), examples=options.examples,
                    validation=options.validation,
                )  # fmt: skip
                outcomes[each].append(run.result)
    peak = measure_peak(torch.device(options.device))
    table = compare(outcomes, tokens, flops, peak, options.price)
    report("training", table, options.output, shape=options.shape, examples=options.examples)


def compare(
    outcomes: dict[Contender, list[dict[str, Any]]],
    tokens: float,
    flops: float,
    peak: float,
    price: float | None = None,
) -> list[dict[str, Any]]:
    """Return a row for each contender: medians over all steps of all rounds, and ratios.

    Args:
        outcomes: what `run_contender` returned in each round.
        tokens: of an example on average, without padding.
        flops: of a training step on an example on average.
        peak: FLOP/s of the machine, see `measure_peak`.
        price: dollars per hour of the machine.
    """
    speeds = {
        each: each.batch_size / median(s for run in runs for s in run["step_seconds"])
        for each, runs in outcomes.items()
    }
    rows = []
    for each, runs in outcomes.items():
        row = {
            "contender": each.name,
            "examples/s": speeds[each],
            "tokens/s": speeds[each] * tokens,
            "TFLOP/s": speeds[each] * flops / 1e12,
            "% of peak": 100 * speeds[each] * flops / peak,
            "waiting %": 100 * share_of_waiting(runs),
            "peak RSS MB": median(run["peak_rss"] for run in runs),
            "peak GPU MB": median(run["peak_gpu"] for run in runs),
            "loss": median(run["loss"] for run in runs),
        }
        if price is not None:
            row["$ per epoch"] = price * _CNN_DAILYMAIL / speeds[each] / 3600
        for base in outcomes:
            if base.system in _BASELINES:
                row[f"/ {base.name}"] = speeds[each] / speeds[base]
        rows.append(row | {"steps": sum(len(run["step_seconds"]) for run in runs)})
    return rows


def share_of_waiting(runs: Sequence[dict[str, Any]]) -> float:
    """Return the share of the time of all timed steps in which batches were waited for."""
    waited, total = (sum(sum(run[n]) for run in runs) for n in ("wait_seconds", "step_seconds"))
    return float(waited / total)


def measure_peak(device: torch.device) -> float:
    """Return the FLOP/s of the fastest product of two large matrices, in bf16 or fp32.

    It is what "% of peak" refers to: a datasheet's figure is not reached by any program.
    """
    size, repeats = (8192, 20) if device.type == "cuda" else (2048, 3)
    best = 0.0
    for dtype in (torch.bfloat16, torch.float32):
        left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
        left @ right
        for _ in range(3):
            if device.type == "cuda":
                torch.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(repeats):
                left @ right
            if device.type == "cuda":
                torch.cuda.synchronize()
            best = max(best, repeats * 2 * size**3 / (time.perf_counter() - start))
    return best


def count_work(
    config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Article]
) -> tuple[float, float]:
    """Return an example's mean source and target tokens, and the FLOPs of training on it.

    torch counts the FLOPs of matrix products in one forward and backward pass over the example's
    own tokens. Padding, windows that are only read for salience, and the optimizer do not count.
    """
    with torch.device("meta"):
        model = AutoModelForSeq2SeqLM.from_config(config, attn_implementation="eager").train()
    sources = encode(tokenizer, rows, TEXT.max_source_tokens)["input_ids"]
    targets = encode(tokenizer, rows, TEXT.max_target_tokens, targets=True)["input_ids"]
    lengths = [(len(source), len(target)) for source, target in zip(sources, targets, strict=True)]
    flops = []
    for source, target in lengths:
        ids, labels = (torch.ones(1, n, dtype=torch.long, device="meta") for n in (source, target))
        with FlopCounterMode(display=False) as counter:
            model(input_ids=ids, labels=labels).loss.backward()
        flops.append(counter.get_total_flops())
    return mean(map(sum, lengths)), mean(flops)


def check_batches(examples: int, contenders: Sequence[Contender]) -> None:
    """Raise CorpusError unless the examples make two or more full batches for each contender."""
    for each in contenders:
        if examples % each.batch_size or examples == each.batch_size:
            raise CorpusError(
                f"--examples {examples}: {each.name} needs two or more full batches; the first "
                "is not timed."
            )


def contender(text: str) -> Contender:
    """Return the contender that an option names; raise ArgumentTypeError if there is none."""
    system, _, batch_size = text.partition(":")
    if system not in CONTENDERS:
        raise argparse.ArgumentTypeError(f"{text}: write SYSTEM:BATCH, such as summary:8")
    return Contender(system, positive_int(batch_size))


if __name__ == "__main__":
    sys.exit(run_command(main))
