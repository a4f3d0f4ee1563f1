"""Copy the champion of MLflow's registry into the BentoML store, from which it is served."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bentoml
import yaml
from bentoml.exceptions import BentoMLException, NotFound
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from highlighter.data.fingerprint import hash_files
from highlighter.system.locks import exclusive
from release import registry
from release.compat import add_model, bento_home, clear_staging, remove_model
from release.logged_model import fetch_checkpoint


class Deployment(BaseModel):
    """The champion's copy in the BentoML store; `copied` if it was missing or out of date."""

    model_name: str
    version: str
    bento_tag: str
    copied: bool

    def __str__(self) -> str:
        """Say what is served."""
        served = f"Now served: {self.model_name} version {self.version} ({self.bento_tag})."
        if not self.copied:
            return f"{served} It was already in the BentoML store."
        return f"{served} A running service keeps its model until it is restarted."


@contextmanager
def release_lock(name: str) -> Iterator[None]:
    """Keep other processes of this machine from releasing a model of this name."""

    def busy(holder: str) -> None:
        print(f"Waiting for another release of {name} ({holder}).", file=sys.stderr)

    with exclusive(bento_home() / f"{name}.lock", busy):
        yield


def deploy(name: str) -> Deployment | None:
    """Make the champion the newest model of the BentoML store, which `bentoml serve` loads.

    Nothing is copied if it is that already. Incomplete models of this name are removed, so this
    also repairs a store after a crash. A service that is running keeps the model it has loaded.

    Returns:
        What is served now, or None if there is no champion: the store is then left as it is.

    Raises:
        RegistryError: the champion's files are missing or changed.
    """
    client = MlflowClient()
    with release_lock(name):
        clear_staging(name)
        _remove_incomplete_models(name)
        champion = registry.champion(client, name)
        if champion is None:
            return None
        registry.drop_challenger_that_is_champion(client, name)
        number, served = str(champion.version), served_model(name)
        if served is not None and _is_copy(served, champion):
            return Deployment(
                model_name=name, version=number, bento_tag=str(served.tag), copied=False
            )
        with tempfile.TemporaryDirectory(prefix="highlighter-deploy-") as folder:
            tag = add_model(name, fetch_checkpoint(champion, Path(folder)), _labels(champion))
        if served is not None and is_model_of(served, champion):
            remove_model(Path(served.path), name)  # its files had changed
        return Deployment(model_name=name, version=number, bento_tag=tag, copied=True)


def served_model(name: str) -> bentoml.Model | None:
    """Return the model that `bentoml serve` would load, or None if there is none to load."""
    return _read(f"{name}:latest")


def models(name: str) -> list[bentoml.Model]:
    """Return every model of this name, the oldest first."""
    try:
        found = bentoml.models.list(name)
    except NotFound:
        return []
    return sorted(found, key=lambda model: model.creation_time)


def is_model_of(model: bentoml.Model, version: ModelVersion) -> bool:
    """Return whether a Bento model was copied from this version."""
    labels = model.info.labels
    return (labels.get("model_version"), labels.get("mlflow_run_id")) == (
        str(version.version),
        version.run_id or "unknown",
    )


def _labels(version: ModelVersion) -> dict[str, str]:
    keys = (*registry.Lineage.model_fields, registry.PROMOTED_TAG)
    labels = {key: version.tags.get(key, "unknown") for key in keys}
    if version.run_id:
        labels["mlflow_run_id"] = version.run_id
    return {"model_version": str(version.version), **labels}


def _is_copy(model: bentoml.Model, version: ModelVersion) -> bool:
    """Return whether a model's labels and files are those of a version."""
    files = sorted(file for file in Path(model.path).rglob("*") if file.is_file())
    digest = hash_files(file for file in files if file.name != "model.yaml")
    return is_model_of(model, version) and digest == version.tags.get(
        registry.CHECKPOINT_TAG, digest
    )


def _remove_incomplete_models(name: str) -> None:
    folder = bento_home() / "models" / name
    for place in folder.iterdir() if folder.is_dir() else ():
        if place.is_dir() and _read(f"{name}:{place.name}") is None:
            remove_model(place, name)


def _read(tag: str) -> bentoml.Model | None:
    """Return a model, or None if there is none or its record was not written completely."""
    try:
        return bentoml.models.get(tag)
    except (BentoMLException, yaml.YAMLError, KeyError):
        return None
