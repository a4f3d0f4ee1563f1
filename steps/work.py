"""Where steps keep what an interrupted run leaves, until a run has finished the work."""

from pathlib import Path

from zenml.models import PipelineRunResponse

from highlighter.kept_folder import remove_kept

_ROOT = Path(__file__).resolve().parent.parent
FINE_TUNING = _ROOT / "work" / "fine_tune"


def forget_finished_work(run: PipelineRunResponse) -> None:
    """Remove the state of a run's fine-tuning: its checkpoint is stored as an artifact."""
    remove_kept(FINE_TUNING, str(run.steps["fine_tune"].cache_key))
