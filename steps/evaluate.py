"""Step 4: evaluate the model and baselines on the test split."""

from pathlib import Path
from typing import Annotated

import mlflow
from datasets import Dataset, DatasetDict
from zenml import step
from zenml.types import HTMLString

from highlighter.data.validation import IngestReport
from highlighter.evaluation.record import Evaluation
from highlighter.settings import (
    EvaluationSettings,
    GenerationSettings,
    HighlightSettings,
    ModelSource,
    StudentModel,
)
from highlighter.system.folders import temporary_folder
from highlighter.system.memory import keep_freed_memory
from highlighter.training.report import TrainingReport
from release.teacher import teacher_folder
from steps.caching import depends_on_code
from steps.materializers import ArrowMaterializer
from steps.run_record import log_settings


@step(
    experiment_tracker=True,
    cache_policy=depends_on_code(__file__),
    output_materializers={"evaluated_rows": ArrowMaterializer},
)
def evaluate(
    articles: DatasetDict,
    checkpoint: Path,
    ingest_report: IngestReport,
    training_report: TrainingReport,
    model: ModelSource,
    model_version: str,
    highlights: HighlightSettings,
    generation: GenerationSettings,
    seed: int,
    evaluation: EvaluationSettings = EvaluationSettings(),
) -> tuple[
    Annotated[Evaluation, "evaluation"],
    Annotated[Dataset, "evaluated_rows"],
    Annotated[HTMLString, "report"],
]:
    """Return scores with intervals, each test row with all summaries, and the HTML report."""
    from highlighter.evaluation.distillation import judge_beside_teacher
    from highlighter.evaluation.evaluate import judge
    from highlighter.evaluation.pictures import picture_evaluation
    from highlighter.evaluation.report import render_report
    from highlighter.system.cpu import keep_to_usable_cores

    log_settings()
    keep_freed_memory()
    keep_to_usable_cores()
    result, rows = judge(
        checkpoint,
        articles["test"],
        test_fingerprint=ingest_report.fingerprints["test"],
        highlights=highlights,
        generation=generation,
        settings=evaluation,
        seed=seed,
    )
    if isinstance(model, StudentModel):
        result, rows = judge_beside_teacher(
            checkpoint,
            teacher_folder(model),
            model.teacher,
            articles["test"],
            (result, rows),
            settings=evaluation,
            seed=seed,
        )
    figures = picture_evaluation(result, rows, training_report)
    report = render_report(result, rows, figures, evaluation.samples)
    folder = temporary_folder("evaluate")
    rows.to_parquet(folder / "rows.parquet")
    mlflow.log_artifact(str(folder / "rows.parquet"), "evaluation")
    mlflow.log_dict(result.model_dump(mode="json"), "evaluation/evaluation.json")
    mlflow.log_text(report, "evaluation/report.html")
    samples = rows.select(range(min(evaluation.samples, len(rows))))
    mlflow.log_table(
        samples.select_columns(["id", "article", "reference", "abstractive", "extractive"])
        .add_column("abstractive_rougeLsum", samples["abstractive_rougeLsum"][:])
        .to_pandas(),
        "evaluation/samples.json",
    )
    for name, figure in figures.items():
        mlflow.log_figure(figure, f"figures/{name}.png")
    mlflow.log_metrics(result.metrics())
    return result, rows, HTMLString(report)
