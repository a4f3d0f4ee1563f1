"""What was measured of a version, kept with its MLflow run for the gate of later versions."""

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient
from pydantic import ValidationError

from highlighter.errors import RegistryError
from release.gate import Measured

_FOLDER, _FILE = "gate", "gate/measured.json"


def store_measured(client: MlflowClient, run_id: str, measured: Measured) -> None:
    """Write what was measured to the run."""
    client.log_text(run_id, measured.model_dump_json(), _FILE)


def load_measured(client: MlflowClient, version: ModelVersion) -> Measured:
    """What was stored with a version's run; every field is None if nothing was.

    Raises:
        RegistryError: the record can't be read.
    """
    try:
        files = client.list_artifacts(version.run_id, _FOLDER) if version.run_id else []
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        files = []  # the run was removed for good
    if _FILE not in {file.path for file in files}:
        return Measured()
    try:
        return Measured.model_validate_json(
            mlflow.artifacts.load_text(f"runs:/{version.run_id}/{_FILE}")
        )
    except ValidationError as error:
        raise RegistryError(
            f"{version.name} version {version.version}: {_FILE} of run {version.run_id} "
            "is not what this project writes. Restore it, or delete it: the version then counts "
            f"as one without scores.\n{error}"
        ) from error
