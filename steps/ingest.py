"""Step 1: read the source, keep the valid rows, and report those that were left out."""

from typing import Annotated

import mlflow
from datasets import DatasetDict
from zenml import log_metadata, step
from zenml.logger import get_logger

from highlighter.data.sources import load_splits
from highlighter.data.validation import IngestReport, validate_splits
from highlighter.settings import EmbeddedSource, MinimumRows, Source
from highlighter.system.folders import temporary_folder
from steps.caching import depends_on_code
from steps.materializers import ArrowMaterializer
from steps.run_record import log_datasets, log_settings

logger = get_logger(__name__)


@step(
    experiment_tracker=True,
    cache_policy=depends_on_code(__file__),
    output_materializers={"articles": ArrowMaterializer},
)
def ingest(
    seed: int,
    data_version: str,
    source: Source = EmbeddedSource(kind="embedded"),
    minimum_rows: MinimumRows = MinimumRows(),
    maximum_malformed: float = 0.1,
    workers: int | None = None,
) -> tuple[Annotated[DatasetDict, "articles"], Annotated[IngestReport, "ingest_report"]]:
    """Return the valid articles of the three splits (id, article, highlights, group)."""
    log_settings()
    folder = temporary_folder("ingest")
    raw = load_splits(source, seed, folder)
    articles, report = validate_splits(
        raw,
        minimum_rows,
        data_version,
        folder,
        workers=workers,
        maximum_malformed=maximum_malformed,
        limits=source.limits,
    )
    log_datasets(report.kept, report.fingerprints)
    mlflow.log_dict(report.model_dump(), "data/ingest_report.json")
    mlflow.log_metrics({f"data/{split}_rows": rows for split, rows in report.kept.items()})
    mlflow.log_metric("data/left_out", sum(c.read - c.kept for c in report.counts.values()))
    for split, counts in report.counts.items():
        logger.info("%s: %s", split, ", ".join(f"{k} {v}" for k, v in counts.model_dump().items()))
        for row in report.left_out[split]:
            logger.warning("left out %s: %s", row.where, row.reason)
    log_metadata(
        {
            "counts": {split: counts.model_dump() for split, counts in report.counts.items()},
            "fingerprints": report.fingerprints,
            "data_version": data_version,
        },
        artifact_name="articles",
        infer_artifact=True,
    )
    return articles, report
