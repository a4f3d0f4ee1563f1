"""`kill -9` while the pipeline fine-tunes: the next run goes on and ends with the same figures."""

import re
import signal
import time
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from tests.checkout import Project

# All else is as in the first run, so that ingest and tokenize are cached and results comparable.
OFTEN = ("--set", "steps.fine_tune.parameters.training.checkpoint_minutes=0.00001")


@pytest.fixture(scope="module")
def client(project: Project) -> MlflowClient:
    return MlflowClient(project.tracking_uri)


def seals(project: Project) -> set[Path]:
    return set(project.folder.glob("work/fine_tune/*/checkpoint-*/digests.json"))


def kill_after_a_checkpoint(project: Project) -> None:
    before = seals(project)
    run = project.start("run_pipeline.py", "--config", "fast.yaml", *OFTEN)
    deadline = time.monotonic() + 120
    while seals(project) == before:
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=30)


def runs(client: MlflowClient) -> list[Run]:
    """The oldest first."""
    [experiment] = client.search_experiments(filter_string="name = 'news_summarization'")
    order = ["attributes.start_time ASC"]
    return list(client.search_runs([experiment.experiment_id], order_by=order))


def figures(run: Run) -> dict[str, float]:
    """All that a run measured, but for times and what depends on the champion."""
    metrics: dict[str, float] = run.data.metrics
    return {name: value for name, value in metrics.items() if not re.search("second|gate/", name)}


@pytest.mark.usefixtures("first_run")
def test_the_next_run_goes_on_and_ends_the_same(project: Project, client: MlflowClient) -> None:
    others = seals(project)  # of runs that other tests interrupted
    kill_after_a_checkpoint(project)
    output = project.run(*OFTEN)
    going_on = re.search(r"fine_tune: resuming from step (\d) of 10", output)
    assert going_on, output
    uninterrupted, resumed = runs(client)[0], runs(client)[-1]
    assert uninterrupted.data.tags["training_resumed_from"] == "never"
    assert resumed.data.tags["training_resumed_from"] == going_on[1]
    for name in ("train/loss", "validation/salience_loss"):
        points = [
            [(point.step, point.value) for point in client.get_metric_history(run_id, name)]
            for run_id in (uninterrupted.info.run_id, resumed.info.run_id)
        ]
        assert points[0] == points[1]
        assert len(points[0]) == 2
    assert "test/abstractive/rougeLsum" in figures(resumed)
    assert figures(resumed).items() <= figures(uninterrupted).items()
    assert seals(project) <= others  # finished: not kept
