"""What fine-tuning did, as a record that later steps read without the training code."""

from pydantic import BaseModel

# Trainer's log entries, and what they are called in reports and in MLflow.
CURVES = {
    "loss": "train/loss",
    "summary_loss": "train/summary_loss",
    "salience_loss": "train/salience_loss",
    "learning_rate": "train/learning_rate",
    "grad_norm": "train/gradient_norm",
    "eval_loss": "validation/loss",
    "eval_summary_loss": "validation/summary_loss",
    "eval_salience_loss": "validation/salience_loss",
    "eval_rougeLsum": "validation/rougeLsum",
}


class TrainingReport(BaseModel):
    """`best_step` is the optimizer step whose weights were kept; `resumed_from` are the steps from
    which training was taken up again after an interruption.

    `curves` has (optimizer step, value) points of each logged measure, by its name in MLflow.
    """

    steps: int
    best_step: int
    validation_loss: float
    seconds: float
    examples_per_second: float
    parameters: int
    precision: str
    device: str
    stopped_early: bool
    resumed_from: list[int] = []
    curves: dict[str, list[tuple[int, float]]]
