"""Run the pipeline from a configuration file and print its results."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from zenml.client import Client
from zenml.models import PipelineRunResponse
from zenml.pipelines.run_utils import get_default_run_name

from highlighter.data.fingerprint import fingerprint_model
from highlighter.data.sources import fingerprint_source
from highlighter.errors import HighlighterError
from highlighter.settings import MODEL_NAME, StudentModel
from highlighter.system.failures import quiet_libraries
from highlighter.system.folders import temporary_folder
from pipelines.config import RunConfig, load_config
from pipelines.console import print_summary
from pipelines.recover import Journal, recover
from pipelines.stack import ensure_stack
from pipelines.summarization import summarization
from release.publish import still_stands
from release.teacher import champion_as_teacher, fingerprint_teacher, is_registered
from release.tracking import use_stack_tracking
from steps.run_record import forget_finished_work


def resolve_model(config: RunConfig) -> tuple[RunConfig, str]:
    """Return the configuration with `teacher: champion` resolved, and the checkpoint's version.

    The version that `champion` means today is written into the configuration: all steps then read
    the same one, and the run's record names it. The checkpoint's version is part of the steps'
    cache keys.
    """
    if not isinstance(config.model, StudentModel):
        return config, fingerprint_model(config.model)
    use_stack_tracking()
    teacher = config.model.teacher
    if teacher == "champion":
        teacher = champion_as_teacher(MODEL_NAME)
        config = config.with_value("parameters.model.teacher", teacher)
    if is_registered(teacher):
        return config, fingerprint_teacher(teacher, temporary_folder("teacher"))
    return config, fingerprint_model(config.model)


def run_pipeline(root: Path, config_file: Path, overrides: Sequence[str], use_cache: bool) -> None:
    """Run all steps whose stored results are out of date, then print the summary.

    Raises:
        HighlighterError: bad configuration or input; the message says what to do.
    """
    quiet_libraries()
    config = load_config(config_file, overrides)
    data_version = fingerprint_source(config.source)
    ensure_stack(root, summarization.name)
    use_stack_tracking()
    config, model_version = resolve_model(config)
    versions = {"data_version": data_version, "model_version": model_version}
    journal = Journal(root)
    for name in recover(journal, summarization.name, MODEL_NAME):
        print(f"The run {name} was killed: it is marked so. Its whole steps are not run again.")
    if not use_cache:
        config = config.with_value("enable_cache", False)
    run = _run(config, versions, journal)
    registration = _artifact(run, "register", "registration")
    use_stack_tracking()
    if not still_stands(registration):
        # A stored result says "registered", but the registry or the Bento store was cleared.
        run = _run(config.with_value("steps.register.enable_cache", False), versions, journal)
        registration = _artifact(run, "register", "registration")
    evaluation, rows = (
        _artifact(run, "evaluate", name) for name in ("evaluation", "evaluated_rows")
    )
    forget_finished_work(run)
    print_summary(run, evaluation, rows, registration)


def _run(config: RunConfig, versions: dict[str, str], journal: Journal) -> PipelineRunResponse:
    settings = dict(config.zenml)
    template = settings.pop("run_name", None) or get_default_run_name(summarization.name)
    with (
        journal.entry(template) as name,
        tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file,
    ):
        yaml.safe_dump(settings, file)
        file.flush()
        run = summarization.with_options(run_name=name, config_path=file.name)(**versions)
        if run is None:
            raise HighlighterError("The active stack runs pipelines elsewhere and did not wait.")
    return Client().get_pipeline_run(run.id)


def _artifact(run: PipelineRunResponse, step: str, name: str) -> Any:
    return run.steps[step].outputs[name][0].load()
