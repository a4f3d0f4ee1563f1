"""What the service tells about its model."""

from highlighter.model.checkpoint import MeasuredModel


class ModelCard(MeasuredModel):
    """The served model: where it comes from, and what it was measured to do."""

    tag: str
    version: str
    created: str
    mlflow_run_id: str
    zenml_run: str
    data_fingerprint: str
    git_commit: str
