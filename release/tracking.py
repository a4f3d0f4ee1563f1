"""Where versions are tracked. ZenML is imported late: it reads the environment, in seconds."""

from pathlib import Path

from highlighter.errors import HighlighterError, RegistryError


def use_tracking_of(checkout: Path) -> None:
    """Point MLflow at the tracking server of a checkout's stack."""
    if not (checkout / ".zen").is_dir():
        raise RegistryError(
            f"No pipeline has run in {checkout} yet, so nothing is registered: run "
            "`python run_pipeline.py` first."
        )
    from zenml.client import Client

    Client().activate_root(checkout)
    use_stack_tracking()


def use_stack_tracking() -> None:
    """Point MLflow at the active stack's server; ZenML does so only while a step runs."""
    from zenml.client import Client

    tracker = Client().active_stack.experiment_tracker
    if tracker is None or tracker.flavor != "mlflow":
        raise HighlighterError(
            "The active ZenML stack has no MLflow experiment tracker: `python run_pipeline.py` "
            "makes a local stack with one."
        )
    tracker.configure_mlflow()
