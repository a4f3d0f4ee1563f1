"""The ZenML stack of this repository: the user's own if it tracks with MLflow, else a local one."""

import hashlib
from pathlib import Path

from mlflow.tracking import MlflowClient
from zenml.client import Client
from zenml.enums import StackComponentType

from highlighter.errors import HighlighterError


def ensure_stack(root: Path, experiment: str) -> str:
    """Make sure a stack with an MLflow tracker is active for the repository; return its name.

    Only the repository's own setting is touched (`.zen` in `root`), never the user's global one.
    A stack the user has activated here is left as it is.

    Raises:
        HighlighterError: the user's stack has no MLflow experiment tracker.
    """
    if not Client.is_repository_directory(root):
        Client.initialize(root)
    client = Client()
    client.activate_root(root)
    active = client.active_stack_model
    trackers = active.components.get(StackComponentType.EXPERIMENT_TRACKER, [])
    own = _local_name(root)
    if active.name != own and any(tracker.flavor_name == "mlflow" for tracker in trackers):
        return str(active.name)
    if active.name not in ("default", own):
        raise HighlighterError(
            f"The active ZenML stack {active.name!r} has no MLflow experiment tracker. Add one "
            f"(zenml stack update {active.name} -e NAME), or activate the stack 'default' and this "
            "command makes a local stack with one."
        )
    _make_local_stack(client, root, own)
    client.activate_stack(own)
    _ensure_experiment(root, experiment)
    return own


def _local_name(root: Path) -> str:
    # The user's store may serve several checkouts, each with its own tracking database.
    return f"highlighter-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"


def _make_local_stack(client: Client, root: Path, name: str) -> None:
    trackers = client.list_stack_components(type=StackComponentType.EXPERIMENT_TRACKER, name=name)
    if not trackers.items:
        client.create_stack_component(
            name,
            flavor="mlflow",
            component_type=StackComponentType.EXPERIMENT_TRACKER,
            configuration={"tracking_uri": tracking_uri(root)},
        )
    if not client.list_stacks(name=name).items:
        client.create_stack(
            name,
            components={
                StackComponentType.ORCHESTRATOR: "default",
                StackComponentType.ARTIFACT_STORE: "default",
                StackComponentType.EXPERIMENT_TRACKER: name,
            },
        )


def tracking_uri(root: Path) -> str:
    """The local tracking database, where `mlflow ui` looks when started in `root`."""
    return f"sqlite:///{root / 'mlflow.db'}"


def _ensure_experiment(root: Path, experiment: str) -> None:
    """Make the local experiment, and the database if there is none.

    MLflow writes a new database in many transactions, and can't go on from the middle of them. So
    it is made under another name: by construction `mlflow.db` is whole as soon as it is there.
    """
    file, draft = root / "mlflow.db", root / "mlflow.db.new"
    if not file.exists():
        for left_over in root.glob(f"{draft.name}*"):
            left_over.unlink()
        _create_experiment(draft, experiment, root)
        draft.rename(file)
    _create_experiment(file, experiment, root)


def _create_experiment(database: Path, experiment: str, root: Path) -> None:
    # Left to itself, MLflow would put artifacts below whatever folder a run is started in.
    client = MlflowClient(f"sqlite:///{database}")
    if client.get_experiment_by_name(experiment) is None:
        client.create_experiment(experiment, artifact_location=(root / "mlartifacts").as_uri())
