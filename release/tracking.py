"""Where versions are tracked."""

from zenml.client import Client

from highlighter.errors import HighlighterError


def use_stack_tracking() -> None:
    """Point MLflow at the active stack's server; ZenML does so only while a step runs."""
    tracker = Client().active_stack.experiment_tracker
    if tracker is None or tracker.flavor != "mlflow":
        raise HighlighterError(
            "The active ZenML stack has no MLflow experiment tracker: `python run_pipeline.py` "
            "makes a local stack with one."
        )
    tracker.configure_mlflow()
