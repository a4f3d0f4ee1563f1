"""Measure the peak memory of fine-tuning a T5 under a limit, next to its estimate.

Random weights of a T5's shape, a few steps with each set of settings. Every trial is a process
whose data (heap and anonymous memory, `ulimit -d`) cannot grow beyond the limit.
"""

import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

import datasets
import psutil
import torch

from benchmarks.command import make_parser, parse, positive, positive_int, run_command
from benchmarks.inputs import SHAPES, random_model, read_articles
from benchmarks.processes import ProcessError, measure
from benchmarks.report import report
from highlighter.data.features import tokenize_splits
from highlighter.errors import TrainingError
from highlighter.model.build import build_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import MapSettings, ScratchModel, TextSettings, TrainingSettings
from highlighter.system.memory import keep_freed_memory
from highlighter.training.memory import estimate_range
from highlighter.training.train import choose_precision, train

GB = 2**30
_SMALL = {"batch_size": 1, "evaluation_batch_size": 1, "gradient_accumulation_steps": 2}
_CHECKPOINTING = _SMALL | {"gradient_checkpointing": True}
VARIANTS: dict[str, dict[str, Any]] = {
    "AdamW, 16 rows": {"batch_size": 16, "evaluation_batch_size": 32},
    "AdamW, 2 x 1 row": _SMALL,
    "AdamW, 2 x 1 row, checkpointing": _CHECKPOINTING,
    "Adafactor, 2 x 1 row": _SMALL | {"optimizer": "adafactor"},
    "Adafactor, 2 x 1 row, checkpointing": _CHECKPOINTING | {"optimizer": "adafactor"},
    "LoRA, 2 x 1 row": _SMALL | {"lora": {}},
    "LoRA, 2 x 1 row, checkpointing": _CHECKPOINTING | {"lora": {}},
    "LoRA, 1 x 4 rows, checkpointing": _CHECKPOINTING
    | {"lora": {}, "batch_size": 4, "gradient_accumulation_steps": 1},
}


def main() -> None:
    """Run the trials, print the table, write memory.json."""
    parser = make_parser("memory", __doc__, "articles", "vocabulary")
    parser.add_argument("--shape", choices=SHAPES, default="t5-base")
    parser.add_argument("--limit", type=positive, default=8, help="GB that a process may take")
    parser.add_argument("--rows", type=positive_int, default=64, help="articles to train on")
    parser.add_argument("--steps", type=positive_int, default=3)
    options = parse(parser)
    read_articles(options.articles, 2)
    model = random_model(options.shape, options.vocabulary.resolve()).model_dump(mode="json")
    rows = []
    for name, settings in VARIANTS.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        training = {"max_steps": options.steps, "evaluations": 1, "device": "cpu", **settings}
        try:
            run = measure(
                "benchmarks.memory:run_trial", options.output / "memory.log", model=model,
                articles=options.articles.resolve(), rows=options.rows, training=training,
                limit=int(options.limit * GB),
            )  # fmt: skip
        except ProcessError as error:
            rows.append({"settings": name, "result": str(error).splitlines()[-1]})
        else:
            rows.append({"settings": name, **run.result})
    report("memory", rows, options.output, shape=options.shape, limit_gb=options.limit)


def run_trial(
    model: dict[str, Any],
    articles: str,
    rows: int,
    training: dict[str, Any],
    limit: int | None = None,
) -> dict[str, Any]:
    """Fine-tune in this process.

    Args:
        model: a ScratchModel with the folder of its vocabulary.
        articles: file of articles.
        rows: the number of articles to train on.
        training: TrainingSettings.
        limit: of this process's data in bytes.

    Returns:
        In GB: the peak RSS, what training added to the RSS before it, the estimates for batches of
        mean and of largest size; and the seconds of a step. Or `result`: why training was refused.
    """
    keep_freed_memory()
    shape, settings = ScratchModel(**model), TrainingSettings(**training)
    tokenizer = load_tokenizer(model["vocabulary"]["path"])
    some = [
        {"id": str(n), **vars(row)} for n, row in enumerate(read_articles(Path(articles))[:rows])
    ]
    with tempfile.TemporaryDirectory() as folder:
        table = datasets.Dataset.from_list(some)
        splits = datasets.DatasetDict({"train": table, "validation": table.select([0, 1])})
        text, mapping = TextSettings(), MapSettings(workers=1)
        features, _ = tokenize_splits(splits, tokenizer, text, mapping, Path(folder))
        t5 = build_model(shape, tokenizer, seed=1)
        precision = choose_precision(settings.precision, torch.device("cpu"))
        least, most = estimate_range(t5, features["train"], text, settings, precision)
        before = psutil.Process().memory_info().rss
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        try:
            trained = train(
                t5, tokenizer, features, text=text, settings=settings, seed=1,
                work_folder=Path(folder) / "work", callbacks=[],
            )  # fmt: skip
        except TrainingError as error:
            return {"result": f"refused: {error}"}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "peak RSS": peak / GB,
        "added by training": (peak - before) / GB,
        "estimate, mean batch": least.total / GB,
        "estimate, largest batch": most.total / GB,
        "s/step": trained.seconds / trained.steps,
    }


if __name__ == "__main__":
    sys.exit(run_command(main))
