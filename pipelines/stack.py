"""ZenML's database, and the stack of this checkout: the user's own, or a local one with MLflow."""

import hashlib
import os
import re
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mlflow.tracking import MlflowClient
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.enums import StackComponentType

from highlighter.errors import HighlighterError, RegistryError
from highlighter.settings import PIPELINE_NAME
from highlighter.system.locks import exclusive
from pipelines.compat import relocate_artifacts
from release.registry import use_stack_tracking

_SECONDS = 5  # for another program that is creating ZenML's database
_LOCAL_STACK = re.compile("highlighter-[0-9a-f]{8}")
_STACK_VARIABLE = "ZENML_ACTIVE_STACK_ID"
_REGISTRY_VARIABLE = "MLFLOW_REGISTRY_URI"
# What the stack, the pipeline or the checkout decides.
_NOT_USED = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_RUN_ID",
    "ZENML_REPOSITORY_PATH",
)


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


def use_stores_of(root: Path) -> None:
    """Point ZenML and MLflow at what the runs of a checkout have made.

    Raises:
        RegistryError: no pipeline has run in the checkout.
        HighlighterError: the user's stack has no MLflow experiment tracker.
    """
    if not Client.is_repository_directory(root):
        raise RegistryError(
            f"No pipeline has run in {root} yet, so nothing is registered: run "
            "`python run_pipeline.py` first."
        )
    ensure_stack(root)


def ensure_stack(root: Path) -> str:
    """Activate a stack with an MLflow tracker for the checkout, and use its tracker.

    A stack that the user has activated for the checkout is kept. A local stack of another folder
    is replaced: the checkout was copied or moved. Only the checkout's own setting (`.zen` in
    `root`) is changed, never the user's global one.

    Args:
        root: folder of the checkout.

    Returns:
        The name of the stack.

    Raises:
        HighlighterError: the user's stack has no MLflow experiment tracker, or MLflow cannot use
            the checkout's path.
    """

    def busy(holder: str) -> None:
        print(f"Waiting for another command to set up its ZenML stack ({holder}).", file=sys.stderr)

    # Not the lock of a run: `python -m release` can be used during one.
    with exclusive(Path(GlobalConfiguration().config_directory) / "highlighter.lock", busy):
        return _ensure_stack(root)


def _ensure_stack(root: Path) -> str:
    _drop_variables(_NOT_USED, "the checkout's ZenML stack decides where runs are recorded")
    if not Client.is_repository_directory(root):
        Client.initialize(root)
    client = Client()
    client.activate_root(root)
    active = client.active_stack_model
    trackers = active.components.get(StackComponentType.EXPERIMENT_TRACKER, [])
    local = _LOCAL_STACK.fullmatch(active.name) is not None
    if not local and any(tracker.flavor_name == "mlflow" for tracker in trackers):
        name = str(active.name)
    else:
        name = local_stack_name(root)
        if not local and active.name != "default":
            raise HighlighterError(
                f"The active ZenML stack {active.name!r} has no MLflow experiment tracker. Add one "
                f"(zenml stack update {active.name} -e NAME), or activate the stack 'default' and "
                "this command makes a local stack with one."
            )
        if active.name != name and _STACK_VARIABLE in os.environ:
            raise HighlighterError(
                f"{_STACK_VARIABLE} names the stack {active.name!r}, which has no MLflow tracker "
                "for this checkout. Unset the variable, or name a stack with one."
            )
        _require_usable(root)
        _drop_variables((_REGISTRY_VARIABLE,), f"models are registered in {root / 'mlflow.db'}")
        _make_local_stack(client, root, name)
        client.activate_stack(name)
        _ensure_experiment(client, root)
    use_stack_tracking()
    return name


def _drop_variables(names: tuple[str, ...], reason: str) -> None:
    """Remove variables from the environment, and say which."""
    found = [name for name in names if os.environ.pop(name, "")]
    if found:
        are = "is" if len(found) == 1 else "are"
        print(f"{', '.join(found)} {are} not used: {reason} (docs/training.md).", file=sys.stderr)


def local_stack_name(root: Path) -> str:
    """Return the name of a checkout's local stack; one ZenML store may serve several checkouts."""
    return f"highlighter-{hashlib.sha256(str(root).encode()).hexdigest()[:8]}"


def _require_usable(root: Path) -> None:
    """Require a path that MLflow finds again: it cuts a path at `?`, and reads `%20` as a space."""
    wrong = re.search(r"\?|%[0-9A-Fa-f]{2}", str(root))
    if wrong:
        raise HighlighterError(
            f"{root}: MLflow cannot store files in a folder whose path has {wrong[0]!r}. Rename "
            "the folder."
        )


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


def _ensure_experiment(client: Client, root: Path) -> None:
    """Create the local tracking database and its experiment, or adopt a copied or moved one.

    MLflow creates a database in many transactions and cannot continue an interrupted creation, so
    the file gets its name only when it is complete.
    """
    file, draft = root / "mlflow.db", root / "mlflow.db.new"
    if not file.exists():
        for left_over in root.glob(f"{draft.name}*"):
            left_over.unlink()
        _create_experiment(draft, root)
        draft.rename(file)
    location = _create_experiment(file, root)
    artifacts = root / "mlartifacts"
    if location == artifacts.as_uri() or not location.startswith("file://"):
        return
    before = Path(url2pathname(urlsplit(location).path))
    made_here = client.list_stacks(name=local_stack_name(before.parent)).items
    if before.name == artifacts.name and (artifacts.is_dir() or made_here):
        relocate_artifacts(file, before, artifacts)


def _create_experiment(database: Path, root: Path) -> str:
    """Create the experiment if it is missing; return the location of its artifacts."""
    # By default MLflow writes artifacts below the folder in which a run is started.
    client = MlflowClient(f"sqlite:///{database}")
    experiment = client.get_experiment_by_name(PIPELINE_NAME)
    if experiment is not None:
        return str(experiment.artifact_location)
    location = (root / "mlartifacts").as_uri()
    client.create_experiment(PIPELINE_NAME, artifact_location=location)
    return location
