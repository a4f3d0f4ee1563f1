"""The registered model as MLflow runs it: this file is its code ("models from code").

`mlflow models serve` and `mlflow.pyfunc.load_model("models:/news-highlighter@champion")` execute it
beside the checkpoint folder, so nothing is pickled.
"""

from pathlib import Path

import mlflow
from mlflow.pyfunc import PythonModel, PythonModelContext

from highlighter.inference.answers import HighlightRequest
from highlighter.inference.summarizer import Summarizer


class SummarizerModel(PythonModel):
    """Summarize articles with the checkpoint that was logged with this file."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the checkpoint that was logged with this model."""
        self._summarizer = Summarizer.load(Path(context.artifacts["checkpoint"]))

    def predict(self, model_input: list[str]) -> list[str]:
        """Return the summary of each article."""
        requests = [HighlightRequest(article=article) for article in model_input]
        return [result.summary for result in self._summarizer.summarize(requests)]


mlflow.models.set_model(SummarizerModel())
