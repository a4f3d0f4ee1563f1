"""Five ways to fine-tune the same weights on the same articles, each on the GPU if there is one.

`student`: a plain training loop with everything padded to 512 tokens. `summarization`:
`Seq2SeqTrainer` as transformers' summarization example uses it, `summarization-bf16` the same with
its option `--bf16`. `summary`: the project's training
of the decoder only, the same work as those two. `highlights`: the project's training with the
salience head.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import torch
from torch.utils.data import DataLoader, TensorDataset
from transformers import (
    AutoModelForSeq2SeqLM,
    DataCollatorForSeq2Seq,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
    set_seed,
)

from benchmarks.inputs import Article, read_articles
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
_MB = 2**20


class Task(NamedTuple):
    """What to train on what; `weights` is a checkpoint folder with its tokenizer."""

    weights: Path
    rows: list[Article]
    validation: list[Article]
    batch_size: int
    folder: Path


class Clock(TrainerCallback):
    """Notes when each step begins and ends, and the peak of memory.

    Before a step begins, its batches are fetched.
    """

    def __init__(self) -> None:
        self.begins: list[float] = []
        self.ends: list[float] = []
        self.peak_rss = 0.0
        self.peak_gpu = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Note the time."""
        self.begins.append(time.perf_counter())

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Note the time once the GPU has finished the step."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
            self.peak_gpu = torch.cuda.max_memory_allocated() / _MB
        self.ends.append(time.perf_counter())
        self.peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_contender(
    *, system: str, weights: str, articles: str, examples: int, validation: int, batch_size: int
) -> dict[str, Any]:
    """Train on the first rows of a file and score on its last rows.

    Returns:
        `step_seconds` of each step but the first, `wait_seconds` of them for their batches,
        `peak_rss` and `peak_gpu` in MB, and `loss`, the cross-entropy per token of the validation
        highlights.
    """
    rows = read_articles(Path(articles))
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        task = Task(Path(weights), rows[:examples], rows[-validation:], batch_size, Path(folder))
        model = CONTENDERS[system](task, clock)
    return {
        "step_seconds": [b - a for a, b in zip(clock.ends, clock.ends[1:], strict=False)],
        "wait_seconds": [
            begin - end for end, begin in zip(clock.ends, clock.begins[1:], strict=False)
        ],
        "peak_rss": clock.peak_rss,
        "peak_gpu": clock.peak_gpu,
        "loss": validation_loss(model, load_tokenizer(weights), task.validation),
    }


def train_student(task: Task, clock: Clock) -> PreTrainedModel:
    """Train with padding to 512 tokens, Adam, eager attention and a plain loop."""
    tokenizer = load_tokenizer(str(task.weights))
    model = AutoModelForSeq2SeqLM.from_pretrained(
        task.weights, dtype=torch.float32, attn_implementation="eager"
    ).to("cuda" if torch.cuda.is_available() else "cpu")
    optimizer = torch.optim.Adam(model.parameters(), lr=_LEARNING_RATE)
    limit = TEXT.max_source_tokens
    sources = encode(tokenizer, task.rows, limit, padding="max_length")
    targets = encode(tokenizer, task.rows, limit, padding="max_length", targets=True)
    set_seed(_SEED)
    tensors = sources["input_ids"], sources["attention_mask"], targets["input_ids"]
    model.train()
    for batch in DataLoader(TensorDataset(*tensors), batch_size=task.batch_size, shuffle=True):
        ids, mask, labels = (part.to(model.device) for part in batch)
        clock.on_step_begin()
        labels = labels.masked_fill(labels == tokenizer.pad_token_id, -100)
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        clock.on_step_end()
    return model


def train_example(task: Task, clock: Clock, bf16: bool = False) -> PreTrainedModel:
    """Train with dynamic padding and the trainer's defaults: SDPA, fused AdamW, clipping at 1."""
    tokenizer = load_tokenizer(str(task.weights))
    model = AutoModelForSeq2SeqLM.from_pretrained(task.weights, dtype=torch.float32)
    sources = encode(tokenizer, task.rows, TEXT.max_source_tokens)
    targets = encode(tokenizer, task.rows, TEXT.max_target_tokens, targets=True)
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
            bf16=bf16,
            use_cpu=not torch.cuda.is_available(),  # else bf16 is refused
            seed=_SEED,
        ),
        train_dataset=datasets.Dataset.from_dict({**sources, "labels": targets["input_ids"]}),
        processing_class=tokenizer,
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model),
        callbacks=[clock],
    ).train()
    return model


def train_project(task: Task, clock: Clock, salience_weight: float) -> PreTrainedModel:
    """Train as the fine-tuning step does."""
    keep_freed_memory()
    tokenizer = load_tokenizer(str(task.weights))
    splits = {
        name: datasets.Dataset.from_list(
            [{"id": str(n), **vars(row)} for n, row in enumerate(rows)]
        )
        for name, rows in {"train": task.rows, "validation": task.validation[:1]}.items()
    }
    features, _ = tokenize_splits(
        datasets.DatasetDict(splits), tokenizer, TEXT, MapSettings(workers=1), task.folder
    )
    model = load_model(str(task.weights))
    settings = TrainingSettings(
        epochs=1,
        batch_size=task.batch_size,
        learning_rate=_LEARNING_RATE,
        schedule="constant",
        salience_weight=salience_weight,
        evaluations=1,
    )
    train(
        model, tokenizer, features, text=TEXT, settings=settings, seed=_SEED,
        work_folder=task.folder / "training", callbacks=[clock],
    )  # fmt: skip
    return model.seq2seq


CONTENDERS: dict[str, Callable[[Task, Clock], PreTrainedModel]] = {
    "student": train_student,
    "summarization": train_example,
    "summarization-bf16": lambda task, clock: train_example(task, clock, bf16=True),
    "summary": lambda task, clock: train_project(task, clock, salience_weight=0.0),
    "highlights": lambda task, clock: train_project(task, clock, salience_weight=1.0),
}


@torch.no_grad()
def validation_loss(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Article]
) -> float:
    """Return the cross-entropy per token of the highlights, given each article's first tokens."""
    model.eval()
    total = tokens = 0.0
    for start in range(0, len(rows), _SCORED_AT_ONCE):
        some = rows[start : start + _SCORED_AT_ONCE]
        source = encode(tokenizer, some, TEXT.max_source_tokens, padding="longest")
        target = encode(tokenizer, some, TEXT.max_target_tokens, padding="longest", targets=True)
        labels = target["input_ids"]
        labels = labels.masked_fill(labels == tokenizer.pad_token_id, -100)
        count = int((labels != -100).sum())
        inputs = {**source, "labels": labels}
        output = model(**{name: part.to(model.device) for name, part in inputs.items()})
        total += float(output.loss) * count
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
    """Return articles, or highlights, as at most `limit` tokens: lists, or tensors if padded."""
    texts = [target_text(r.highlights) if targets else f"{TEXT.prefix}{r.article}" for r in rows]
    encoded = tokenizer(
        texts, max_length=limit, truncation=True, padding=padding,
        return_tensors="pt" if padding else None,
    )  # fmt: skip
    return {name: encoded[name] for name in ("input_ids", "attention_mask")}
