"""Run the pipeline from a configuration file, deploy the champion and print the results."""

import tempfile
from pathlib import Path
from typing import Any

import yaml
from mlflow.tracking import MlflowClient
from transformers import T5Config
from zenml.client import Client
from zenml.models import PipelineRunResponse
from zenml.pipelines.run_utils import get_default_run_name
from zenml.utils.string_utils import format_name_template

from highlighter.data.fingerprint import fingerprint_model
from highlighter.data.sources import fingerprint_source
from highlighter.embedded import CHECKPOINT
from highlighter.errors import HighlighterError, RegistryError
from highlighter.model.families import check_positions, fit_text, read_config
from highlighter.settings import (
    MODEL_NAME,
    EmbeddedModel,
    HubSource,
    PretrainedModel,
    ScratchModel,
    StudentModel,
)
from highlighter.system.failures import quiet_libraries
from highlighter.system.folders import temporary_folder
from pipelines.config import RunConfig
from pipelines.console import print_summary
from pipelines.recover import end_killed_runs, recorded
from pipelines.stack import ensure_stack
from pipelines.summarization import summarization
from release import registry
from release.deploy import deploy
from release.publish import Registration
from release.teacher import champion_as_teacher, fingerprint_teacher, is_registered, teacher_folder
from steps.run_record import forget_finished_work


def resolve_model(config: RunConfig) -> tuple[RunConfig, str]:
    """Return the configuration with the model's version resolved, and that version.

    The version that `champion` means today, or the commit that a revision of the hub does, is
    written into the configuration: all steps then read the same one, and the run's record names it.
    The checkpoint's version is part of the steps'
    cache keys.
    """
    if isinstance(config.model, PretrainedModel) and not Path(config.model.name).is_dir():
        commit = fingerprint_model(config.model)
        return config.with_value("parameters.model.revision", commit), commit
    if not isinstance(config.model, StudentModel):
        return config, fingerprint_model(config.model)
    teacher = config.model.teacher
    if teacher == "champion":
        teacher = champion_as_teacher(MODEL_NAME)
        config = config.with_value("parameters.model.teacher", teacher)
    if is_registered(teacher):
        return config, fingerprint_teacher(teacher, temporary_folder("teacher"))
    return config, fingerprint_model(config.model)


def resolve_data(config: RunConfig) -> tuple[RunConfig, str]:
    """Return the configuration with a revision of the hub as a commit, and the data's version."""
    version = fingerprint_source(config.source)
    if isinstance(config.source, HubSource) and not Path(config.source.repository).is_dir():
        config = config.with_value("steps.ingest.parameters.source.revision", version)
    return config, version


def fit_to_model(config: RunConfig) -> RunConfig:
    """Return the configuration with the task prefix of the model's family, if it names none.

    Raises:
        CheckpointError: the family is not supported, or has too few positions for the lengths.
    """
    match config.model:
        case PretrainedModel(name=name, revision=revision):
            own = read_config(name, revision)
        case StudentModel() as student:
            own = read_config(str(teacher_folder(student)))
        case EmbeddedModel():
            own = read_config(str(CHECKPOINT))
        case ScratchModel():
            own = T5Config()
    shared = config.settings["parameters"]
    check_positions(own, "generation.max_new_tokens", shared["generation"].max_new_tokens)
    given = (config.document.values["parameters"].get("text") or {}).get("prefix")
    text = fit_text(shared["text"].model_copy(update={"prefix": given}), own)
    return config.with_value("parameters.text.prefix", text.prefix)


def run_pipeline(root: Path, config: RunConfig, use_cache: bool) -> None:
    """Run the steps whose stored results are out of date, deploy the champion, print the summary.

    Call it only with the checkout's lock.

    Args:
        root: folder of the checkout.
        config: the checked configuration.
        use_cache: whether stored results of steps are reused.

    Raises:
        HighlighterError: the input is invalid; the message says what to do.
    """
    quiet_libraries()
    config, data_version = resolve_data(config)
    ensure_stack(root)
    config, model_version = resolve_model(config)
    config = fit_to_model(config)
    versions = {"data_version": data_version, "model_version": model_version}
    for name in end_killed_runs(root, summarization.name):
        print(
            f"The run {name} was killed and is now marked failed; its completed steps are reused."
        )
    if not use_cache:
        config = config.with_value("enable_cache", False)
    run = _run(root, config, versions)
    evaluation, rows = (
        _artifact(run, "evaluate", name) for name in ("evaluation", "evaluated_rows")
    )
    registration: Registration = _artifact(run, "register", "registration")
    registry.use_stack_tracking()  # ZenML resets it after a step
    deployment = deploy(registration.model_name)
    forget_finished_work(run)
    print_summary(run, evaluation, rows, registration, deployment)
    _require_version(registration)


def _run(root: Path, config: RunConfig, versions: dict[str, str]) -> PipelineRunResponse:
    settings = dict(config.zenml)
    name = format_name_template(
        settings.pop("run_name", None) or get_default_run_name(summarization.name)
    )
    with (
        recorded(root, name),
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


def _require_version(registration: Registration) -> None:
    """Raise an error if a stored result names a version that was deleted since."""
    known = registry.versions(MlflowClient(), registration.model_name)
    if registration.version not in {str(version.version) for version in known}:
        raise RegistryError(
            f"{registration.model_name} version {registration.version}, which an earlier run "
            "registered, was deleted from MLflow's registry. To register the stored checkpoint "
            "again, add `--set steps.register.enable_cache=false` to this command."
        )
