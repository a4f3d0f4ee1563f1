"""Run the pipeline from a configuration file and say what came of it."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from zenml.client import Client
from zenml.models import PipelineRunResponse

from highlighter.corpus.sources import fingerprint_source
from highlighter.errors import HighlighterError
from highlighter.evaluation import Evaluation
from highlighter.fingerprint import fingerprint_model
from pipelines.config import RunConfig, load_config
from pipelines.stack import ensure_stack, use_stack_tracking
from pipelines.summarization import summarization
from release.publish import Registration, still_stands


def run_pipeline(root: Path, config_file: Path, overrides: Sequence[str], use_cache: bool) -> None:
    """Run all steps whose stored results are out of date, then print the summary.

    Raises:
        HighlighterError: bad configuration or input; the message says what to do.
    """
    config = load_config(config_file, overrides)
    versions = {
        "data_version": fingerprint_source(config.source),
        "model_version": fingerprint_model(config.model),
    }
    ensure_stack(root, summarization.name)
    if not use_cache:
        config.zenml["enable_cache"] = False
    run = _run(config, versions)
    registration = _artifact(run, "register", "registration")
    use_stack_tracking()
    if not still_stands(registration):
        # A stored result says "registered", but the registry or the Bento store was cleared.
        config.zenml.setdefault("steps", {}).setdefault("register", {})["enable_cache"] = False
        run = _run(config, versions)
        registration = _artifact(run, "register", "registration")
    _print_summary(run, _artifact(run, "evaluate", "evaluation"), registration)


def _run(config: RunConfig, versions: dict[str, str]) -> PipelineRunResponse:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        yaml.safe_dump(config.zenml, file)
        file.flush()
        run = summarization.with_options(config_path=file.name)(**versions)
    if run is None:
        raise HighlighterError("The active stack runs pipelines elsewhere and did not wait.")
    return Client().get_pipeline_run(run.id)


def _artifact(run: PipelineRunResponse, step: str, name: str) -> Any:
    return run.steps[step].outputs[name][0].load()


def _print_summary(
    run: PipelineRunResponse, evaluation: Evaluation, registration: Registration
) -> None:
    console = Console()
    scores = Table(title=f"\nTest split, {evaluation.rows} articles", title_justify="left")
    for heading in ("", "ROUGE-1", "ROUGE-2", "ROUGE-L", "ROUGE-Lsum", "words"):
        scores.add_column(heading, justify="right" if heading else "left")
    for name, system in evaluation.systems.items():
        scores.add_row(name, *(f"{value:.1f}" for value in system.model_dump().values()))
    times = Table(title="Time per step", title_justify="left")
    for heading in ("step", "seconds"):
        times.add_column(heading, justify="right" if heading == "seconds" else "left")
    for name, step in run.steps.items():
        seconds = (step.end_time - step.start_time).total_seconds()
        times.add_row(name, "cached" if step.status == "cached" else f"{seconds:.1f}")
    console.print(scores, times)
    console.print(
        f"Registered {registration.model_name} version {registration.version} as "
        f"{registration.alias}: {registration.reason}."
    )
    console.print("Next: [bold]bentoml serve[/]   or look at the run: [bold]mlflow ui[/]")
