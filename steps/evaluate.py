"""Step 4: judge the model on the test split, beside LEAD-3 on the same rows."""

from pathlib import Path
from typing import Annotated

import mlflow
from datasets import Dataset, DatasetDict
from zenml import step
from zenml.types import HTMLString

from highlighter.corpus.validation import IngestReport
from highlighter.evaluation import Evaluation, evaluate_model
from highlighter.metrics.rouge import ROUGE_TYPES
from highlighter.model import load_model
from highlighter.plots import plot_learning_curve, plot_rouge
from highlighter.report import render_report
from highlighter.settings import EvaluationSettings, GenerationSettings
from highlighter.tokenizer import load_tokenizer
from highlighter.training import TrainingReport
from steps.caching import depends_on_code
from steps.materializers import ArrowMaterializer
from steps.run_record import log_settings


@step(
    experiment_tracker=True,
    cache_policy=depends_on_code(__file__),
    output_materializers={"predictions": ArrowMaterializer},
)
def evaluate(
    articles: DatasetDict,
    features: DatasetDict,
    checkpoint: Path,
    ingest_report: IngestReport,
    training_report: TrainingReport,
    generation: GenerationSettings,
    evaluation: EvaluationSettings = EvaluationSettings(),
) -> tuple[
    Annotated[Evaluation, "evaluation"],
    Annotated[Dataset, "predictions"],
    Annotated[HTMLString, "report"],
]:
    """Scores, every test row with its predictions, and the report."""
    log_settings()
    result, predictions = evaluate_model(
        load_model(str(checkpoint)),
        load_tokenizer(str(checkpoint)),
        articles=articles["test"],
        features=features["test"],
        generation=generation,
        settings=evaluation,
        test_fingerprint=ingest_report.fingerprints["test"],
    )
    rouge = {
        name: {metric: getattr(scores, metric) for metric in ROUGE_TYPES}
        for name, scores in result.systems.items()
    }
    figures = {
        "learning_curve": plot_learning_curve(training_report.curves(), training_report.best_step),
        "rouge": plot_rouge(rouge),
    }
    samples = predictions.select(range(min(evaluation.samples, len(predictions))))
    report = render_report(result, list(samples), figures)
    mlflow.log_metrics(result.metrics())
    mlflow.log_figure(figures["rouge"], "figures/rouge.png")
    mlflow.log_text(report, "report.html")
    mlflow.log_table(samples.to_pandas(), "samples.json")
    return result, predictions, HTMLString(report)
