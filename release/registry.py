"""Versions in MLflow's model registry, and their aliases."""

import shutil
import tempfile
from importlib.metadata import version as installed_version
from pathlib import Path

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient
from mlflow.types.schema import ColSpec, DataType, Schema

import highlighter
from highlighter.gate import Candidate
from highlighter.source_files import needed_files

_PACKAGES = ("mlflow", "torch", "transformers", "sentencepiece", "sentencex", "pydantic")
SCORE_TAG = "rougeLsum"
TEST_TAG = "test_fingerprint"


def log_checkpoint(checkpoint: Path, name: str, input_example: list[str]) -> ModelInfo:
    """Log a checkpoint folder in the active run as a pyfunc from code, with what it needs."""
    package = Path(highlighter.__file__).parent
    code = package / "mlflow_model.py"
    with tempfile.TemporaryDirectory(prefix="highlighter-code-") as folder:
        copy = Path(folder) / package.name
        for file in needed_files(code, package.parent):
            target = copy / file.relative_to(package)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        return mlflow.pyfunc.log_model(
            name=name,
            python_model=str(copy / code.name),
            artifacts={"checkpoint": str(checkpoint)},
            code_paths=[str(copy)],
            signature=ModelSignature(
                inputs=Schema([ColSpec(DataType.string)]),
                outputs=Schema([ColSpec(DataType.string)]),
            ),
            input_example=input_example,
            pip_requirements=[f"{name}=={_public_version(name)}" for name in _PACKAGES],
        )


def _public_version(package: str) -> str:
    return installed_version(package).split("+")[0]  # "2.13.0+cpu" is no index's name for it


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version the alias `champion` points to, or None before the first one."""
    try:
        return client.get_model_version_by_alias(name, "champion")
    except MlflowException as error:
        # Two ways of saying "none": no such model yet, or no such alias.
        if error.error_code in (
            ErrorCode.Name(RESOURCE_DOES_NOT_EXIST),
            "INVALID_PARAMETER_VALUE",
        ):
            return None
        raise


def as_candidate(version: ModelVersion) -> Candidate:
    """What the gate may know of a registered version."""
    score = version.tags.get(SCORE_TAG)
    return Candidate(
        version=str(version.version),
        score=None if score is None else float(score),
        test_fingerprint=version.tags.get(TEST_TAG),
    )


def create_version(
    client: MlflowClient, name: str, model: ModelInfo, run_id: str, tags: dict[str, str]
) -> ModelVersion:
    """Register a logged model as the next version of `name`."""
    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        client.create_registered_model(
            name, description="T5 that summarizes news; see the run of each version."
        )
    return client.create_model_version(
        name, source=model.model_uri, run_id=run_id, model_id=model.model_id, tags=tags
    )
