"""Step 3: fine-tune the model and keep its best weights."""

from pathlib import Path
from typing import Annotated

import mlflow
from datasets import DatasetDict
from zenml import get_step_context, step
from zenml.logger import get_logger

from highlighter.settings import ModelSource, TextSettings, TrainingSettings
from highlighter.system.folders import kept_folder, temporary_folder
from highlighter.system.memory import keep_freed_memory
from highlighter.training.report import TrainingReport
from release.teacher import with_files
from steps.caching import depends_on_code
from steps.materializers import FolderMaterializer
from steps.run_record import FINE_TUNING, log_settings

logger = get_logger(__name__)


@step(
    experiment_tracker=True,
    cache_policy=depends_on_code(__file__),
    output_materializers={"checkpoint": FolderMaterializer},
)
def fine_tune(
    features: DatasetDict,
    tokenizer: Path,
    model: ModelSource,
    model_version: str,
    text: TextSettings,
    seed: int,
    training: TrainingSettings = TrainingSettings(),
) -> tuple[Annotated[Path, "checkpoint"], Annotated[TrainingReport, "training_report"]]:
    """Return the checkpoint with the best validation, and the training report."""
    from highlighter.data.familiarity import learn_familiarity
    from highlighter.evaluation.pictures import plot_learning_curves
    from highlighter.model.build import build_model
    from highlighter.model.checkpoint import save_checkpoint
    from highlighter.model.tokenizer import load_tokenizer
    from highlighter.system.cpu import keep_to_usable_cores
    from highlighter.training.processes import Tracking, train_in_processes
    from highlighter.training.report import MlflowCurves
    from highlighter.training.train import train

    log_settings()
    keep_freed_memory()
    keep_to_usable_cores()
    words = load_tokenizer(str(tokenizer))
    t5 = build_model(with_files(model), words, seed)
    logger.info(
        "%d parameters; training on %d articles", t5.num_parameters(), len(features["train"])
    )
    folder = temporary_folder("fine-tune")
    run_id = mlflow.active_run().info.run_id
    # The cache key identifies everything that decides the result: inputs, settings, code, pins.
    with kept_folder(FINE_TUNING, get_step_context().step_run.cache_key) as work_folder:
        if training.processes == 1:
            report = train(
                t5,
                words,
                features,
                text=text,
                settings=training,
                seed=seed,
                work_folder=work_folder,
                callbacks=[MlflowCurves(run_id)],
            )
        else:
            report = train_in_processes(
                t5,
                words,
                features,
                text=text,
                settings=training,
                seed=seed,
                work_folder=work_folder,
                tracking=Tracking(uri=mlflow.get_tracking_uri(), run_id=run_id),
            )
    save_checkpoint(folder / "checkpoint", t5, words, text)
    tokens = {split: rows.with_format("numpy")["tokens"] for split, rows in features.items()}
    learn_familiarity(tokens["train"], tokens["validation"]).save(folder / "checkpoint")
    mlflow.log_figure(
        plot_learning_curves(report.curves, report.best_step), "figures/learning_curves.png"
    )
    mlflow.log_metrics(
        {
            "train/seconds": report.seconds,
            "train/examples_per_second": report.examples_per_second,
            "train/best_step": report.best_step,
            "train/parameters": report.parameters,
        }
    )
    mlflow.set_tag("training_resumed_from", ", ".join(map(str, report.resumed_from)) or "never")
    return folder / "checkpoint", report
