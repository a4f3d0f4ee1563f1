"""Step 2: tokenize the training and validation splits, and report what the limits cut off."""

from pathlib import Path
from typing import Annotated

import mlflow
from datasets import Dataset, DatasetDict
from zenml import step
from zenml.logger import get_logger

from highlighter.data.features import TokenizeReport, tokenize_splits
from highlighter.settings import MapSettings, ModelSource, StudentModel, TextSettings
from highlighter.system.folders import temporary_folder
from release.teacher import with_files
from steps.caching import depends_on_code
from steps.materializers import ArrowMaterializer, FolderMaterializer
from steps.run_record import log_settings

logger = get_logger(__name__)


@step(
    experiment_tracker=True,
    cache_policy=depends_on_code(__file__),
    output_materializers={
        "features": ArrowMaterializer,
        "tokenizer": FolderMaterializer,
    },
)
def tokenize(
    articles: DatasetDict,
    model: ModelSource,
    model_version: str,
    text: TextSettings,
    mapping: MapSettings = MapSettings(),
) -> tuple[
    Annotated[DatasetDict, "features"],
    Annotated[Path, "tokenizer"],
    Annotated[TokenizeReport, "tokenize_report"],
]:
    """Return the features of the training and validation splits, and the tokenizer.

    The tokenizer is the model's own, or one trained on the training split. The evaluation reads the
    test articles themselves.
    """
    from highlighter.evaluation.pictures import plot_lengths
    from highlighter.model.tokenizer import prepare_tokenizer

    log_settings()
    folder = temporary_folder("tokenize")
    model = with_files(model)
    tokenizer = prepare_tokenizer(model, articles["train"], folder / "tokenizer")
    articles = DatasetDict({split: articles[split] for split in ("train", "validation")})
    if isinstance(model, StudentModel) and model.teacher_targets:
        articles["train"] = _with_teachers_targets(articles["train"], model)
    features, report = tokenize_splits(articles, tokenizer, text, mapping, folder)
    mlflow.log_dict(report.model_dump(), "data/token_lengths.json")
    for what, limit in (
        ("articles", text.max_source_tokens),
        ("highlights", text.max_target_tokens),
    ):
        column = {"articles": "source_length", "highlights": "target_length"}[what]
        mlflow.log_figure(
            plot_lengths(features["train"][column][:], limit, what), f"figures/{what}_lengths.png"
        )
        mlflow.log_metric(f"data/{what}_cut", getattr(report, what)["train"].truncated)
        for split, lengths in getattr(report, what).items():
            logger.info(
                "%s %s: %s tokens, %.1f %% cut at %d",
                split,
                what,
                ", ".join(f"{p} {v:.0f}" for p, v in lengths.percentiles.items()),
                100 * lengths.truncated,
                limit,
            )
    return features, folder / "tokenizer", report


def _with_teachers_targets(articles: Dataset, model: StudentModel) -> Dataset:
    """Return the articles with a column `target`: the teacher's summary, or else the reference."""
    from highlighter.training.distillation import write_targets

    chosen = articles.select(range(min(model.teacher_targets, len(articles))))
    targets, written = write_targets(
        Path(model.teacher), chosen["article"][:], chosen["highlights"][:]
    )
    logger.info(
        "the teacher wrote the targets of %d training articles; %d keep their reference, because "
        "its summary failed a check", written, len(chosen) - written,
    )  # fmt: skip
    mlflow.log_metric("distillation/teacher_targets", written)
    return articles.add_column("target", targets + articles["highlights"][len(chosen) :])
