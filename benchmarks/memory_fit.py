"""Peak memory of fine-tuning a T5, against its estimate: which settings fit into a limit?

Random weights in T5's shapes, real articles, a few steps each. Every trial is a process of its own
whose data (heap and anonymous memory, `ulimit -d`) can't grow over the limit.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import datasets
import psutil
import torch

from benchmarks.articles import read_articles
from benchmarks.command import positive, positive_int, run_command
from benchmarks.processes import ROOT, python
from benchmarks.shapes import SHAPES, random_weights
from highlighter.data.features import tokenize_splits
from highlighter.errors import CorpusError, HighlighterError
from highlighter.model.build import LowRankUpdates, build_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import (
    GivenVocabulary,
    MapSettings,
    ScratchModel,
    Settings,
    TextSettings,
    TrainingSettings,
)
from highlighter.system.memory import keep_freed_memory
from highlighter.training.memory import batch_shapes, estimate
from highlighter.training.train import choose_precision, train

GB = 2**30
_SMALL: dict[str, object] = {
    "batch_size": 1,
    "evaluation_batch_size": 1,
    "gradient_accumulation_steps": 2,
}
_CHECKPOINTED = _SMALL | {"gradient_checkpointing": True}
VARIANTS: dict[str, dict[str, object]] = {
    "AdamW, 16 rows": {"batch_size": 16, "evaluation_batch_size": 32},
    "AdamW, 2 x 1 row": _SMALL,
    "AdamW, 2 x 1 row, checkpointing": _CHECKPOINTED,
    "Adafactor, 2 x 1 row": _SMALL | {"optimizer": "adafactor"},
    "Adafactor, 2 x 1 row, checkpointing": _CHECKPOINTED | {"optimizer": "adafactor"},
    "LoRA, 2 x 1 row": _SMALL | {"lora": {}},
    "LoRA, 2 x 1 row, checkpointing": _CHECKPOINTED | {"lora": {}},
    "LoRA, 1 x 4 rows, checkpointing": _CHECKPOINTED
    | {"lora": {}, "batch_size": 4, "gradient_accumulation_steps": 1},
}


class Trial(Settings):
    """What one process does."""

    articles: Path
    rows: int
    model: ScratchModel
    text: TextSettings
    training: TrainingSettings
    limit: int | None


class Outcome(Settings):
    """Bytes beyond those before training, and seconds of an optimizer step; or why it stopped.

    `refused` before it started, or `failed`, as where the limit was too low after all.
    """

    refused: str | None = None
    failed: str | None = None
    before: int = 0
    peak: int = 0
    least: int = 0
    most: int = 0
    seconds: float = 0.0

    @property
    def taken(self) -> int:
        """What training added."""
        return self.peak - self.before


def measure(trial: Trial) -> Outcome:
    """Run the trial in a process of its own."""
    done = subprocess.run(
        python("benchmarks.memory_fit", "--trial", trial.model_dump_json()),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "Error" in line]
        return Outcome(failed=errors[-1] if errors else f"exit code {done.returncode}")
    return Outcome.model_validate_json(done.stdout.splitlines()[-1])


def _run(trial: Trial) -> Outcome:
    keep_freed_memory()  # as the step does
    articles = [row for row in read_articles(trial.articles) if row.highlights][: trial.rows]
    if not articles:
        raise CorpusError(f"{trial.articles}: no row has `highlights`, which training needs.")
    rows = datasets.Dataset.from_list(
        [{"id": str(i)} | row.model_dump() for i, row in enumerate(articles)]
    )
    if not isinstance(trial.model.vocabulary, GivenVocabulary):
        raise HighlighterError("a trial needs a vocabulary's folder")
    words = load_tokenizer(trial.model.vocabulary.path)
    model = build_model(trial.model, words, seed=1)
    precision = choose_precision(trial.training.precision, torch.device("cpu"))
    with tempfile.TemporaryDirectory() as folder:
        splits = datasets.DatasetDict({"train": rows, "validation": rows.select([0, 1])})
        mapping = MapSettings(workers=1)
        features, _ = tokenize_splits(splits, words, trial.text, mapping, Path(folder))
        before = psutil.Process().memory_info().rss
        if trial.limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (trial.limit, trial.limit))
        try:
            report = train(
                model,
                words,
                features,
                text=trial.text,
                settings=trial.training,
                seed=1,
                work_folder=Path(folder) / "work",
                callbacks=[],
            )
        except HighlighterError as error:
            return Outcome(refused=str(error))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if trial.training.lora:
        LowRankUpdates(model, trial.training.lora)
    least, most = (
        estimate(model, shape, trial.training, precision).total
        for shape in batch_shapes(features["train"], trial.text, trial.training)
    )
    return Outcome(
        before=before, peak=peak, least=least, most=most, seconds=report.seconds / report.steps
    )


def _compare(options: argparse.Namespace) -> None:
    model = random_weights(options.shape, options.vocabulary)
    print(f"{options.shape}'s shape on a CPU, at most {options.limit:g} GB; all in GB")
    print(f"{'':36}{'peak RSS':>9}{'training':>9}{'least':>7}{'most':>7}{'s/step':>8}")
    for name, settings in VARIANTS.items():
        training = TrainingSettings.model_validate(
            {"max_steps": options.steps, "evaluations": 1, "device": "cpu"} | settings
        )
        outcome = measure(
            Trial(
                articles=options.articles.resolve(),
                rows=options.rows,
                model=model,
                text=TextSettings(),
                training=training,
                limit=int(options.limit * GB),
            )
        )
        if outcome.refused or outcome.failed:
            how = f"refused: {outcome.refused}" if outcome.refused else f"failed: {outcome.failed}"
            print(f"{name:36} {how}", flush=True)
            continue
        sizes = (outcome.peak, outcome.taken, outcome.least, outcome.most)
        peak, taken, least, most = (size / GB for size in sizes)
        print(
            f"{name:36}{peak:9.2f}{taken:9.2f}{least:7.2f}{most:7.2f}{outcome.seconds:8.1f}",
            flush=True,
        )


def main() -> int:
    """The command."""
    if sys.argv[1:2] == ["--trial"]:
        outcome = _run(Trial.model_validate(json.loads(sys.argv[2])))
        print(outcome.model_dump_json())
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory_fit", description=__doc__)
    parser.add_argument("--articles", type=Path, required=True, help="JSON lines with highlights")
    parser.add_argument("--vocabulary", type=Path, required=True, help="folder of a spiece.model")
    parser.add_argument("--shape", choices=SHAPES, default="t5-base")
    parser.add_argument("--limit", type=positive, default=8, help="GB a process may take")
    parser.add_argument("--rows", type=positive_int, default=64, help="articles to train on")
    parser.add_argument("--steps", type=positive_int, default=3)
    options = parser.parse_args()
    return run_command(lambda: _compare(options))


if __name__ == "__main__":
    sys.exit(main())
