"""Ways to fine-tune the same weights on the same articles; each runs in a process of its own.

`student`: the loop of the student project this grew from. `summarization`: `Seq2SeqTrainer` as
transformers' summarization example uses it. `summary`: `highlighter.training.train` on the same
work as those two; `highlights`: the same with the salience head and its windows on top.
Each trains on the GPU where torch sees one, as its users would.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import torch
from pydantic import BaseModel
from transformers import (
    DataCollatorForSeq2Seq,
    PreTrainedTokenizerBase,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    T5ForConditionalGeneration,
    TrainerCallback,
    set_seed,
)

from benchmarks.articles import Article, read_articles
from benchmarks.command import positive_int, run_command
from benchmarks.machine import synchronize
from highlighter.data.features import target_text, tokenize_splits
from highlighter.model.model import load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import MapSettings, TextSettings, TrainingSettings
from highlighter.system.memory import keep_freed_memory
from highlighter.training.train import train

TEXT = TextSettings()
_SEED = 13
_LEARNING_RATE = 5e-4
_SCORED_AT_ONCE = 8


class Task(NamedTuple):
    """What is trained on what: `weights` is a checkpoint folder with its tokenizer."""

    weights: Path
    rows: list[Article]
    validation: list[Article]
    batch_size: int
    folder: Path


class Outcome(BaseModel):
    """Seconds of each step but the first, the process's peak RSS in MB, and what was learned.

    `peak_gpu`: MB that tensors took on the GPU; None without one.
    `loss`: the cross-entropy a token of the validation rows' highlights.
    """

    step_seconds: list[float]
    peak_rss: float
    peak_gpu: float | None = None
    loss: float


class Clock(TrainerCallback):
    """Notes the time at the end of each step, and the peaks of memory at the last."""

    def __init__(self) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.ends: list[float] = []
        self.peak_rss = 0.0
        self.peak_gpu: float | None = None

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """One step is done, once the GPU has caught up."""
        synchronize(self.device)
        self.ends.append(time.perf_counter())
        self.peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if self.device.type == "cuda":
            self.peak_gpu = torch.cuda.max_memory_allocated(self.device) / 2**20

    def outcome(self, model: T5ForConditionalGeneration, task: Task) -> Outcome:
        """What was measured, and the validation loss of the trained model."""
        pairs = zip(self.ends, self.ends[1:], strict=False)
        return Outcome(
            step_seconds=[after - before for before, after in pairs],
            peak_rss=self.peak_rss,
            peak_gpu=self.peak_gpu,
            loss=validation_loss(model, load_tokenizer(str(task.weights)), task.validation),
        )


def train_as_student(task: Task) -> Outcome:
    """All padded to 512 tokens, Adam, eager attention, a plain loop."""
    tokenizer = load_tokenizer(str(task.weights))
    model = T5ForConditionalGeneration.from_pretrained(
        task.weights, dtype=torch.float32, attn_implementation="eager"
    )
    clock = Clock()
    model.to(clock.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=_LEARNING_RATE)
    encoded = [
        encode(tokenizer, task.rows, TEXT.max_source_tokens, padding="max_length"),
        encode(tokenizer, task.rows, TEXT.max_source_tokens, padding="max_length", targets=True),
    ]
    set_seed(_SEED)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(
            encoded[0]["input_ids"], encoded[0]["attention_mask"], encoded[1]["input_ids"]
        ),
        batch_size=task.batch_size,
        shuffle=True,
    )
    model.train()
    for batch in loader:
        ids, mask, labels = (part.to(clock.device) for part in batch)
        targets = labels.masked_fill(labels == tokenizer.pad_token_id, -100)
        loss = model(input_ids=ids, attention_mask=mask, labels=targets).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        clock.on_step_end()
    return clock.outcome(model, task)


def train_as_example(task: Task) -> Outcome:
    """Dynamic padding and the trainer's defaults: SDPA, fused AdamW, gradients clipped at 1."""
    tokenizer = load_tokenizer(str(task.weights))
    model = T5ForConditionalGeneration.from_pretrained(task.weights, dtype=torch.float32)
    sources = encode(tokenizer, task.rows, TEXT.max_source_tokens)
    targets = encode(tokenizer, task.rows, TEXT.max_target_tokens, targets=True)
    rows = datasets.Dataset.from_dict({**sources, "labels": targets["input_ids"]})
    clock = Clock()
    Seq2SeqTrainer(
        model=model,
        args=Seq2SeqTrainingArguments(
            output_dir=str(task.folder / "trainer"),
            num_train_epochs=1,
            per_device_train_batch_size=task.batch_size,
            learning_rate=_LEARNING_RATE,
            lr_scheduler_type="constant",  # as the others, or the losses would not compare
            save_strategy="no",
            disable_tqdm=True,
            seed=_SEED,
        ),
        train_dataset=rows,
        processing_class=tokenizer,
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model),
        callbacks=[clock],
    ).train()
    return clock.outcome(model, task)


def train_as_here(task: Task, salience_weight: float) -> Outcome:
    """What the fine-tuning step does."""
    keep_freed_memory()
    tokenizer = load_tokenizer(str(task.weights))
    splits = datasets.DatasetDict(
        {
            name: datasets.Dataset.from_list(
                [{"id": str(i), **row.model_dump()} for i, row in enumerate(rows)]
            )
            for name, rows in {"train": task.rows, "validation": task.validation[:1]}.items()
        }
    )
    features, _ = tokenize_splits(splits, tokenizer, TEXT, MapSettings(workers=1), task.folder)
    model = load_model(str(task.weights))
    clock = Clock()
    train(
        model,
        tokenizer,
        features,
        text=TEXT,
        settings=TrainingSettings(
            epochs=1,
            batch_size=task.batch_size,
            learning_rate=_LEARNING_RATE,
            schedule="constant",
            salience_weight=salience_weight,
            evaluations=1,
        ),
        seed=_SEED,
        work_folder=task.folder / "training",
        callbacks=[clock],
    )
    return clock.outcome(model.seq2seq, task)


CONTENDERS: dict[str, Callable[[Task], Outcome]] = {
    "student": train_as_student,
    "summarization": train_as_example,
    "summary": lambda task: train_as_here(task, salience_weight=0.0),
    "highlights": lambda task: train_as_here(task, salience_weight=1.0),
}


@torch.no_grad()
def validation_loss(
    model: T5ForConditionalGeneration, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Article]
) -> float:
    """Cross-entropy a token of the highlights, given the first tokens of the article."""
    model.eval()
    total = tokens = 0.0
    for start in range(0, len(rows), _SCORED_AT_ONCE):
        some = rows[start : start + _SCORED_AT_ONCE]
        source = encode(tokenizer, some, TEXT.max_source_tokens, padding="longest")
        labels = encode(tokenizer, some, TEXT.max_target_tokens, padding="longest", targets=True)[
            "input_ids"
        ]
        labels = labels.masked_fill(labels == tokenizer.pad_token_id, -100)
        count = int((labels != -100).sum())
        inputs = {
            name: part.to(model.device) for name, part in {**source, "labels": labels}.items()
        }
        total += float(model(**inputs).loss) * count
        tokens += count
    return total / tokens


def encode(
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Article],
    limit: int,
    *,
    padding: str | bool = False,
    targets: bool = False,
) -> dict[str, Any]:
    """Articles, or highlights, as at most `limit` tokens: lists, or with padding tensors."""
    texts = [target_text(r.highlights or "") if targets else TEXT.prefix + r.article for r in rows]
    encoded: dict[str, Any] = tokenizer(
        texts,
        max_length=limit,
        truncation=True,
        padding=padding,
        return_tensors="pt" if padding else None,
    )
    return {name: encoded[name] for name in ("input_ids", "attention_mask")}


def main() -> None:
    """Train once and write the outcome as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contenders", description=__doc__)
    parser.add_argument("--system", choices=CONTENDERS, required=True)
    parser.add_argument("--batch-size", type=positive_int, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--articles", type=Path, required=True)
    parser.add_argument("--examples", type=positive_int, required=True)
    parser.add_argument("--validation", type=positive_int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    rows = read_articles(options.articles)
    # The first rows train, the last ones validate.
    task = Task(
        options.weights,
        rows[: options.examples],
        rows[-options.validation :],
        options.batch_size,
        options.folder,
    )
    outcome = CONTENDERS[options.system](task)
    (options.folder / "outcome.json").write_text(json.dumps(outcome.model_dump()))


if __name__ == "__main__":
    sys.exit(run_command(main))
