"""Step 4: evaluate the model and baselines on the test split."""

from pathlib import Path
from typing import Annotated

import mlflow
from datasets import Dataset, DatasetDict
from zenml import step
from zenml.logger import get_logger
from zenml.types import HTMLString

from highlighter.data.features import TokenizeReport
from highlighter.data.validation import IngestReport
from highlighter.evaluation.record import Evaluation
from highlighter.settings import (
    EngineSettings,
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
from steps.materializers import ArrowMaterializer, FolderMaterializer
from steps.run_record import log_settings

logger = get_logger(__name__)


@step(
    experiment_tracker=True,
    cache_policy=depends_on_code(__file__),
    output_materializers={"evaluated_rows": ArrowMaterializer, "engine": FolderMaterializer},
)
def evaluate(
    articles: DatasetDict,
    features: DatasetDict,
    checkpoint: Path,
    ingest_report: IngestReport,
    tokenize_report: TokenizeReport,
    training_report: TrainingReport,
    model: ModelSource,
    model_version: str,
    highlights: HighlightSettings,
    generation: GenerationSettings,
    seed: int,
    engine: EngineSettings = EngineSettings(),
    evaluation: EvaluationSettings = EvaluationSettings(),
) -> tuple[
    Annotated[Evaluation, "evaluation"],
    Annotated[Dataset, "evaluated_rows"],
    Annotated[Path, "engine"],
    Annotated[HTMLString, "report"],
]:
    """Choose the engine that will serve, and evaluate the model as it will be served."""
    from highlighter.evaluation.comparison import compare_with_teacher
    from highlighter.evaluation.evaluate import evaluate_checkpoint
    from highlighter.evaluation.learned import learn_settings
    from highlighter.evaluation.pictures import picture_evaluation
    from highlighter.evaluation.report import render_report
    from highlighter.inference.engines import copy_engine
    from highlighter.inference.summarizer import Summarizer
    from highlighter.model.checkpoint import finish_checkpoint, write_highlight_settings
    from highlighter.system.cpu import keep_to_usable_cores

    log_settings()
    keep_freed_memory()
    keep_to_usable_cores()
    folder = temporary_folder("evaluate")
    served = folder / "checkpoint"
    finish_checkpoint(checkpoint, generation, highlights, served)
    learned = learn_settings(
        Summarizer.load(served),
        articles["validation"],
        evaluation.batch_size,
        tokenize_report.oracle_sentences,
    )
    write_highlight_settings(served, learned)
    if learned.words:
        mlflow.log_metric("validation/extract_words", learned.words)
    _convert(served, articles["test"]["article"][: engine.articles], engine)
    copy_engine(served, folder / "engine")
    result, rows = evaluate_checkpoint(
        served,
        articles["test"],
        features=features["train"],
        test_fingerprint=ingest_report.fingerprints["test"],
        oracle_sentences=tokenize_report.oracle_sentences,
        settings=evaluation,
        seed=seed,
    )
    if isinstance(model, StudentModel):
        result, rows = compare_with_teacher(
            served,
            teacher_folder(model),
            model.teacher,
            articles["test"],
            (result, rows),
            oracle_sentences=tokenize_report.oracle_sentences,
            settings=evaluation,
            seed=seed,
        )
    figures = picture_evaluation(result, rows, training_report)
    report = render_report(result, rows, figures, evaluation.samples)
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
    return result, rows, folder / "engine", HTMLString(report)


def _convert(checkpoint: Path, articles: list[str], settings: EngineSettings) -> None:
    """Convert for CTranslate2 if configured; torch serves if the summaries differ too much."""
    from highlighter.inference.engine_check import convert_and_check
    from highlighter.model.families import family_of, read_config

    if settings.kind != "ctranslate2":
        return
    family = family_of(read_config(str(checkpoint)))
    if not family.ctranslate2:
        logger.warning("CTranslate2 cannot run %s, so the service will use torch.", family.name)
        return
    check = convert_and_check(checkpoint, articles, settings)
    mlflow.log_dict(check.model_dump(), "engine/check.json")
    if not check.accepted:
        logger.warning(
            "The mean ROUGE-L between the summaries of CTranslate2 and torch on %d articles is "
            "%.1f, below the minimum of %.1f, so the service will use torch. A wider compute_type "
            "may help.",
            check.articles, check.rouge, settings.minimum_agreement,
        )  # fmt: skip
