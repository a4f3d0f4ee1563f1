"""ZenML's database, and the stack of this checkout: the user's own, or a local one with MLflow."""

import hashlib
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from mlflow.tracking import MlflowClient
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.enums import StackComponentType

from highlighter.errors import HighlighterError
from highlighter.system.locks import exclusive

_SECONDS = 5  # for another program that is creating ZenML's database


def ensure_database() -> None:
    """Create ZenML's local database; recreate it if its creation was interrupted.

    ZenML creates the tables first and then writes the version of their layout. Without a version it
    does not start. Such a database holds no data yet, so it is removed.
    """
    url = str(GlobalConfiguration().store_configuration.url)
    if not url.startswith("sqlite:///"):
        return  # a server, or a database of another kind
    file = Path(url.removeprefix("sqlite:///"))
    if file.exists() and _is_complete(file):
        return

    def busy(holder: str) -> None:
        print(f"Waiting for ZenML's database to be created ({holder}).", file=sys.stderr)

    with exclusive(file.with_suffix(".lock"), busy):
        deadline = time.monotonic() + _SECONDS
        while file.exists() and not _is_complete(file) and time.monotonic() < deadline:
            time.sleep(0.1)
        if file.exists() and not _is_complete(file):
            for part in file.parent.glob(f"{file.name}*"):
                part.unlink()
        _ = Client().zen_store


def _is_complete(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        return "alembic_version" in tables and bool(
            database.execute("SELECT version_num FROM alembic_version").fetchall()
        )


def ensure_stack(root: Path, experiment: str) -> str:
    """Activate a stack with an MLflow tracker for the checkout; return its name.

    A stack that the user has activated for the checkout is kept. Only the checkout's own setting
    (`.zen` in `root`) is changed, never the user's global one.

    Args:
        root: folder of the checkout.
        experiment: name of the MLflow experiment, created in the local tracking database.

    Raises:
        HighlighterError: the user's stack has no MLflow experiment tracker.
    """
    if not Client.is_repository_directory(root):
        Client.initialize(root)
    client = Client()
    client.activate_root(root)
    active = client.active_stack_model
    trackers = active.components.get(StackComponentType.EXPERIMENT_TRACKER, [])
    # One ZenML store may serve several checkouts, each with its own tracking database.
    own = f"highlighter-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"
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
    """Return the URI of the local tracking database, which `mlflow ui` reads in `root`."""
    return f"sqlite:///{root / 'mlflow.db'}"


def _ensure_experiment(root: Path, experiment: str) -> None:
    """Create the local tracking database and its experiment.

    MLflow creates a database in many transactions and cannot continue an interrupted creation, so
    the file gets its name only when it is complete.
    """
    file, draft = root / "mlflow.db", root / "mlflow.db.new"
    if not file.exists():
        for left_over in root.glob(f"{draft.name}*"):
            left_over.unlink()
        _create_experiment(draft, experiment, root)
        draft.rename(file)
    _create_experiment(file, experiment, root)


def _create_experiment(database: Path, experiment: str, root: Path) -> None:
    # By default MLflow writes artifacts below the folder in which a run is started.
    client = MlflowClient(f"sqlite:///{database}")
    if client.get_experiment_by_name(experiment) is None:
        client.create_experiment(experiment, artifact_location=(root / "mlartifacts").as_uri())
