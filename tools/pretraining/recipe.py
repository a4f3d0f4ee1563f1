"""The settings of a pretraining run, read from its YAML recipe."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from highlighter.errors import ConfigError
from highlighter.settings import ScratchModel, Settings, TextSettings, TrainedVocabulary
from highlighter.system.yaml_files import read_settings_file

Range = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class StringStage(Settings):
    """Copy random strings of tokens, until nearly every token is right.

    Without a cue the target is the source. With cues, the source is `cues` tokens and then `spans`
    random spans; the target is the spans that start with the cues, in the cues' order.
    """

    kind: Literal["strings"]
    name: str
    batch_size: int = Field(64, ge=1)
    cues: int = Field(0, ge=0)
    spans: Range = (1, 1)
    span_tokens: Range = (2, 8)
    until: float = Field(0.97, gt=0, le=1, description="share of tokens right that ends the stage")
    rate: float = Field(1.0, gt=0, description="of the recipe's learning rates, in this stage")
    max_steps: int = Field(3000, ge=1)

    @property
    def pool(self) -> int:
        """Batches drawn at once."""
        return 1

    @property
    def most_steps(self) -> int:
        """Steps that the stage takes at most."""
        return self.max_steps

    @model_validator(mode="after")
    def _have_spans_for_cues(self) -> "StringStage":
        if self.cues > self.spans[0]:
            raise ValueError("cues must not exceed the least number of spans")
        if not self.cues and self.spans != (1, 1):
            raise ValueError("several spans need a cue that says which to copy")
        return self


class TaskWeights(Settings):
    """How often each task is drawn, relative to the others."""

    gap_sentences: float = Field(0.0, ge=0, description="write the masked principal sentences")
    extract: float = Field(0.0, ge=0, description="write the principal sentences, none masked")
    corrupt_spans: float = Field(0.0, ge=0, description="write the masked spans, as T5")
    summarize: float = Field(0.0, ge=0, description="write the highlights of a generated article")

    @model_validator(mode="after")
    def _draw_something(self) -> "TaskWeights":
        if not any(self.model_dump().values()):
            raise ValueError("at least one task needs a weight above 0")
        return self


class TextStage(Settings):
    """Learn from articles: generated ones, each read once, and windows of the extra text."""

    kind: Literal["text"]
    name: str
    batch_size: int = Field(16, ge=1)
    steps: int = Field(..., ge=1)
    tasks: TaskWeights
    pool: int = Field(
        1, ge=1, description="batches drawn at once and sorted by length, to pad them less"
    )
    window_tokens: int | None = Field(
        None, ge=32, description="most that is read of an article; None: the model's window"
    )
    extra_window_tokens: int | None = Field(
        None, ge=32, description="the same for extra text, whose articles fill any window"
    )
    background_share: float = Field(
        1.0, ge=0, le=1, description="of a generated article's paragraphs without a fact, kept"
    )
    extra_share: float = Field(0.25, ge=0, lt=1, description="of rows from the extra text, if any")
    rate: float = Field(1.0, gt=0, description="of the recipe's learning rates, in this stage")

    @property
    def most_steps(self) -> int:
        """Steps that the stage takes."""
        return self.steps


Stage = Annotated[StringStage | TextStage, Field(discriminator="kind")]


class SalienceFit(Settings):
    """The salience head once more, alone, when all stages are done (`fit_salience.py`)."""

    generated_articles: int = Field(1500, ge=1, description="read beside the extra text")
    epochs: int = Field(20, ge=1)
    batch_size: int = Field(2048, ge=1, description="segments a step")
    learning_rate: float = Field(2e-3, gt=0, description="at the start; falls to a twentieth")
    state_dropout: float = Field(0.9, ge=0, lt=1, description="of the encoder's states")


class Recipe(Settings):
    """Everything that decides about a pretrained checkpoint, but for the extra text."""

    seed: int
    model: ScratchModel
    vocabulary_articles: int = Field(4200, ge=100, description="generated ones it is trained on")
    text: TextSettings
    stages: tuple[Stage, ...] = Field(..., min_length=1)
    salience_fit: SalienceFit | None = Field(None, description="None: the head stays as trained")
    learning_rate: float = Field(3e-2, gt=0, description="AdamW's: embeddings, norms, positions")
    matrix_learning_rate: float = Field(4e-3, gt=0, description="Muon's: the layers' matrices")
    warmup_steps: int = Field(100, ge=0)
    decay_steps: int = Field(0, ge=0, description="of the last stage, falling to a tenth")
    salience_learning_rate: float = Field(1e-3, gt=0)
    salience_weight: float = Field(1.0, ge=0)
    max_gradient_norm: float = Field(1.0, gt=0)
    save_every: int = Field(200, ge=1, description="steps between two resumable states")

    @property
    def vocabulary_size(self) -> int:
        """Segments of the vocabulary that is trained, without sentinels."""
        if not isinstance(self.model.vocabulary, TrainedVocabulary):
            raise ConfigError("model.vocabulary: must be of kind train; pretraining makes its own.")
        return self.model.vocabulary.size


def read_recipe(file: Path) -> Recipe:
    """The recipe in a YAML file.

    Raises:
        ConfigError: no such file, no YAML, or a setting that is unknown or out of range.
    """
    return read_settings_file(file, Recipe)
