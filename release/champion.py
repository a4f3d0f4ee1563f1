"""Make a version the champion: its checkpoint the newest Bento model, then the alias.

The order of writes is what `release.recover` relies on after a kill.
"""

from contextlib import ExitStack
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from pydantic import BaseModel

from release import bento_store, registry


class Lineage(BaseModel):
    """Where a version comes from; its tags, and the labels of its Bento model."""

    mlflow_run_id: str
    zenml_run: str
    data_fingerprint: str
    git_commit: str


def make_champion(
    client: MlflowClient,
    version: ModelVersion,
    checkpoint: Path,
    labels: dict[str, str],
    undo: ExitStack,
) -> str:
    """Serve `checkpoint` and point the alias at `version`; return the Bento model's tag.

    What was done is on `undo`, so the caller keeps it with `undo.pop_all()`.
    """
    name, number = version.name, str(version.version)
    today = registry.aliases(client, name).get("champion")
    tag = bento_store.import_checkpoint(name, checkpoint, {"model_version": number, **labels}, undo)
    # Until here no alias says that another version is served: a kill leaves `champion` as it was.
    registry.move_alias(client, name, "champion", number, undo)
    registry.drop_alias(client, name, "challenger", {number, today or number}, undo)
    return tag
