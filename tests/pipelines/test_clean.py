"""`make clean-runs` after many runs: what nothing needs is removed, the rest stays complete."""

import re
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from tests.checkout import STEPS, Project, cached_steps
from tests.reliability.stores import NAME, check_at_rest

pytestmark = pytest.mark.usefixtures("first_run")


def clean(project: Project, *options: str) -> str:
    return project.call("-m", "pipelines.clean", *options)


def stored_files(project: Project) -> set[Path]:
    """What holds models and tables: MLflow's artifacts, ZenML's, and the BentoML store."""
    folders = (
        project.folder / "mlartifacts",
        Path(project.environment["ZENML_LOCAL_STORES_PATH"]),
        Path(project.environment["BENTOML_HOME"]),
    )
    return {
        file
        for folder in folders
        for file in folder.rglob("*")
        if file.suffix in {".safetensors", ".arrow", ".parquet"}
    }


@pytest.fixture(scope="module")
def two_settings(project: Project) -> str:
    """The second of two runs that differ in a setting of the evaluation: the first is old now."""
    project.run("--set", "parameters.generation.max_new_tokens=12")
    return project.run("--set", "parameters.generation.max_new_tokens=14")


@pytest.mark.usefixtures("two_settings")
def test_what_would_go_is_only_listed_when_asked_so(project: Project) -> None:
    before = stored_files(project)
    output = clean(project, "--dry-run")
    assert re.search(r"^ +\d+\.\d MB  ZenML run ", output, re.MULTILINE)
    assert re.search(r"^ +\d+\.\d MB  would be freed$", output, re.MULTILINE)
    assert stored_files(project) == before


@pytest.mark.usefixtures("two_settings")
def test_versions_and_the_newest_run_stay(project: Project) -> None:
    client = MlflowClient(project.tracking_uri)
    versions = {str(v.version) for v in client.search_model_versions(f"name='{NAME}'")}
    before = stored_files(project)
    listed = re.findall(r"MB  (.*run \S+)$", clean(project), re.MULTILINE)
    assert listed
    assert stored_files(project) < before
    check_at_rest(project)
    assert {str(v.version) for v in client.search_model_versions(f"name='{NAME}'")} == versions
    assert not re.findall(r"MB  (.*run \S+)$", clean(project), re.MULTILINE), "gone is gone"
    output = project.run("--set", "parameters.generation.max_new_tokens=14")
    assert cached_steps(output) == set(STEPS)


def test_versions_without_an_alias_go_when_asked_and_rollback_still_works(
    project: Project,
) -> None:
    client = MlflowClient(project.tracking_uri)
    champion = client.get_model_version_by_alias(NAME, "champion")
    clean(project, "--versions")
    check_at_rest(project)
    left = {str(v.version) for v in client.search_model_versions(f"name='{NAME}'")}
    aliases = client.get_registered_model(NAME).aliases
    previous = champion.tags["previous_champion"]
    assert left == {*map(str, aliases.values()), previous}
    project.call("-m", "release", "rollback")
    assert str(client.get_model_version_by_alias(NAME, "champion").version) == previous
