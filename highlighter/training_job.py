"""A fine-tuning that another process does: what it needs and what comes of it, in a folder."""

from pathlib import Path

import datasets
from transformers import PreTrainedTokenizerBase

from highlighter.checkpoint import save_checkpoint
from highlighter.memory import few_mapped_pages
from highlighter.model import T5ForHighlighting, load_model
from highlighter.settings import Settings, TextSettings, TrainingSettings
from highlighter.tokenizer import load_tokenizer
from highlighter.training_report import TrainingReport


class Tracking(Settings):
    """Where the learning curves go."""

    uri: str
    run_id: str


class JobSettings(Settings):
    """All that is not a file of its own."""

    text: TextSettings
    training: TrainingSettings
    seed: int
    work_folder: Path
    tracking: Tracking | None


class TrainingJob:
    """The folder of a job: `start` and `result` are checkpoints."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def errors(self) -> Path:
        """The file in which torchrun leaves the message of a process that failed."""
        return self._folder / "error.json"

    def write(
        self,
        model: T5ForHighlighting,
        tokenizer: PreTrainedTokenizerBase,
        features: datasets.DatasetDict,
        settings: JobSettings,
    ) -> None:
        """Everything that `train` needs."""
        save_checkpoint(self._folder / "start", model, tokenizer, settings.text)
        with few_mapped_pages():
            features.save_to_disk(self._folder / "features")
        (self._folder / "settings.json").write_text(settings.model_dump_json(), encoding="utf-8")

    def read(
        self,
    ) -> tuple[T5ForHighlighting, PreTrainedTokenizerBase, datasets.DatasetDict, JobSettings]:
        """What `write` wrote."""
        start = str(self._folder / "start")
        settings = (self._folder / "settings.json").read_text(encoding="utf-8")
        return (
            load_model(start),
            load_tokenizer(start),
            datasets.DatasetDict.load_from_disk(self._folder / "features"),
            JobSettings.model_validate_json(settings),
        )

    def write_result(
        self,
        model: T5ForHighlighting,
        tokenizer: PreTrainedTokenizerBase,
        text: TextSettings,
        report: TrainingReport,
    ) -> None:
        """The trained model, and how it went."""
        save_checkpoint(self._folder / "result", model, tokenizer, text)
        (self._folder / "report.json").write_text(report.model_dump_json(), encoding="utf-8")

    def read_result(self, model: T5ForHighlighting) -> TrainingReport:
        """Put the trained weights into `model`; return the report."""
        model.load_state_dict(load_model(str(self._folder / "result")).state_dict())
        report = (self._folder / "report.json").read_text(encoding="utf-8")
        return TrainingReport.model_validate_json(report)
