"""Two processes on the CPU (gloo) equal one process with batches twice as large."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import datasets
import mlflow
import psutil
import pytest
import torch
from mlflow.entities import Run
from transformers import PreTrainedTokenizerBase

from highlighter.data.features import tokenize_splits
from highlighter.errors import TrainingError
from highlighter.model.build import build_model
from highlighter.model.model import HighlightModel
from highlighter.model.salience import SalienceConfig, SalienceHead
from highlighter.settings import MapSettings, ScratchModel, TextSettings, TrainingSettings
from highlighter.training.processes import (
    JobSettings,
    Tracking,
    TrainingJob,
    _torchrun,
    train_in_processes,
)
from highlighter.training.report import MlflowCurves, TrainingReport
from highlighter.training.train import train
from tests.conftest import made_up_articles

TEXT = TextSettings(max_source_tokens=512, max_target_tokens=64)
STILL = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)
SETTINGS = TrainingSettings(
    max_steps=6,
    batch_size=4,
    evaluation_batch_size=4,
    gradient_accumulation_steps=2,
    learning_rate=3e-3,
    evaluations=2,
    device="cpu",
    precision="fp32",  # sums in another order differ by less than the tolerances below
    logging_steps=1,
    processes=2,
)
ALONE = SETTINGS.model_copy(
    update={"processes": 1, "batch_size": 8, "evaluation_batch_size": 32}
)  # the same number of rows per step
SEED = 5


def uneven_articles(rows: int, seed: int) -> datasets.Dataset:
    """Articles and highlights of one to four times the usual length, all within one window."""
    draw = random.Random(seed)
    made = made_up_articles(rows, seed)
    for row in made:
        row["article"] = "\n\n".join([row["article"]] * draw.randint(1, 3))
        row["highlights"] = "\n".join([row["highlights"]] * draw.randint(1, 4))
    return datasets.Dataset.from_list(made)


@pytest.fixture(scope="module")
def features(
    tokenizer: PreTrainedTokenizerBase, tmp_path_factory: pytest.TempPathFactory
) -> datasets.DatasetDict:
    """48 rows to train on and 13 to validate, which do not divide evenly into batches."""
    articles = datasets.DatasetDict(
        {"train": uneven_articles(48, 1), "validation": uneven_articles(13, 2)}
    )
    folder = tmp_path_factory.mktemp("features")
    rows, report = tokenize_splits(articles, tokenizer, TEXT, MapSettings(workers=1), folder)
    assert all(lengths.truncated == 0 for lengths in report.articles.values())
    return rows


def still_model(tokenizer: PreTrainedTokenizerBase) -> HighlightModel:
    """Build a model without dropout, because each process draws its own masks."""
    model = build_model(STILL, tokenizer, SEED)
    width = model.config.hidden_size
    model.salience = SalienceHead(width, SalienceConfig(dropout=0.0))
    return model


@dataclass
class Runs:
    """The same fine-tuning in one process and in two."""

    alone: tuple[HighlightModel, TrainingReport]
    together: tuple[HighlightModel, TrainingReport]
    work_folder: Path
    run: Run
    uri: str


@pytest.fixture(scope="module")
def runs(
    features: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("runs")
    alone = still_model(tokenizer)
    one = train(
        alone, tokenizer, features, text=TEXT, settings=ALONE, seed=SEED,
        work_folder=folder / "alone", callbacks=[],
    )  # fmt: skip
    uri = f"sqlite:///{folder}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    run = client.create_run(client.create_experiment("two")).info.run_id
    together = still_model(tokenizer)
    two = train_in_processes(
        together, tokenizer, features, text=TEXT, settings=SETTINGS, seed=SEED,
        work_folder=folder / "together", tracking=Tracking(uri=uri, run_id=run),
    )  # fmt: skip
    yield Runs((alone, one), (together, two), folder / "together", client.get_run(run), uri)


def test_the_curves_and_weights_are_those_of_one_process_with_the_doubled_batch(
    runs: Runs,
) -> None:
    (alone, one), (together, two) = runs.alone, runs.together
    assert set(one.curves) == set(two.curves) >= {"train/loss", "validation/salience_loss"}
    for name, points in one.curves.items():
        assert two.curves[name] == [(step, pytest.approx(v, rel=1e-4)) for step, v in points], name
    assert one.curves["train/loss"][-1][1] < 0.9 * one.curves["train/loss"][0][1]
    assert two.best_step == one.best_step
    assert two.validation_loss == pytest.approx(one.validation_loss, rel=1e-5)
    for (name, weight), other in zip(alone.named_parameters(), together.parameters(), strict=True):
        torch.testing.assert_close(weight, other, rtol=1e-3, atol=1e-4, msg=name)


def test_the_metrics_are_logged_once_and_the_run_stays_open(runs: Runs) -> None:
    client = mlflow.MlflowClient(runs.uri)
    assert (
        len(client.search_experiments()) == 2
    )  # MLflow's default, which stays empty, and the test's
    found = client.search_runs([e.experiment_id for e in client.search_experiments()])
    assert [run.info.run_id for run in found] == [runs.run.info.run_id]
    assert runs.run.info.status == "RUNNING"
    for name, points in runs.together[1].curves.items():
        history = client.get_metric_history(runs.run.info.run_id, name)
        assert [(metric.step, metric.value) for metric in history] == points


def test_one_process_writes_the_checkpoints(runs: Runs) -> None:
    assert {folder.name for folder in runs.work_folder.iterdir()} == {
        "checkpoint-3",
        "checkpoint-6",
    }
    for folder in runs.work_folder.iterdir():
        assert len(list(folder.glob("*.safetensors"))) == 1


def test_only_the_main_process_logs_to_mlflow(runs: Runs) -> None:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    mlflow.set_tracking_uri(runs.uri)
    curves = MlflowCurves(runs.run.info.run_id)
    state = TrainerState(global_step=99, is_world_process_zero=False)
    curves.on_log(TrainingArguments(use_cpu=True), state, TrainerControl(), logs={"loss": 1.0})
    history = mlflow.MlflowClient(runs.uri).get_metric_history(runs.run.info.run_id, "train/loss")
    assert 99 not in [metric.step for metric in history]


def test_the_error_of_a_failed_process_is_reported(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    obstacle = tmp_path / "work"
    obstacle.write_text("a file where the checkpoints should go")
    with pytest.raises(TrainingError, match=r"in processes failed: .*work'"):
        train_in_processes(
            still_model(tokenizer), tokenizer, features, text=TEXT, settings=SETTINGS, seed=SEED,
            work_folder=obstacle, tracking=None,
        )  # fmt: skip
    assert not psutil.Process().children(recursive=True)


def test_no_process_outlives_its_launcher(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    """A killed launcher stops nothing itself; the processes notice that their pipe closed."""
    endless = SETTINGS.model_copy(update={"max_steps": 10**6, "evaluations": 10**6})
    job = TrainingJob(tmp_path)
    job.write(
        still_model(tokenizer), tokenizer, features,
        JobSettings(
            text=TEXT, training=endless, seed=SEED, work_folder=tmp_path / "work", tracking=None
        ),
    )  # fmt: skip
    with _torchrun(str(tmp_path), 2, job.errors) as process:
        end = time.monotonic() + 120
        while not (tmp_path / "work" / "checkpoint-2").is_dir():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        workers = psutil.Process(process.pid).children()
        threads = [worker.environ()["OMP_NUM_THREADS"] for worker in workers]
        assert threads == [str(max(1, torch.get_num_threads() // 2))] * 2
        process.kill()
        assert process.stdin is not None
        process.stdin.close()
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert alive == []
