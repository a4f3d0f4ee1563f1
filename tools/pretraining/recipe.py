"""The settings of a pretraining run, read from its YAML recipe."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from highlighter.errors import ConfigError
from highlighter.settings import ScratchModel, Settings, TextSettings, TrainedVocabulary
from highlighter.system.yaml_files import read_settings_file

Range = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class StringStage(Settings):
    """Copy random strings of tokens until nearly every token is correct.

    Without cues the target is the source. With cues, the source is `cues` tokens followed by
    `spans` random spans; the target is the spans that start with the cues, in the cues' order.
    """

    kind: Literal["strings"]
    name: str
    batch_size: int = Field(64, ge=1)
    cues: int = Field(0, ge=0)
    spans: Range = (1, 1)
    span_tokens: Range = (2, 8)
    until: float = Field(
        0.97, gt=0, le=1, description="share of correct target tokens at which the stage ends"
    )
    rate: float = Field(1.0, gt=0, description="factor of the recipe's learning rates")
    max_steps: int = Field(3000, ge=1)

    @property
    def pool(self) -> int:
        """Batches made at once."""
        return 1

    @property
    def most_steps(self) -> int:
        """Maximum number of steps."""
        return self.max_steps

    @model_validator(mode="after")
    def _have_spans_for_cues(self) -> "StringStage":
        if self.cues > self.spans[0]:
            raise ValueError("cues must not exceed the smallest number of spans")
        if not self.cues and self.spans != (1, 1):
            raise ValueError("several spans need cues, which select the spans to copy")
        return self


class TaskWeights(Settings):
    """Relative frequency of each task."""

    gap_sentences: float = Field(
        0.0, ge=0, description="generate the principal sentences, which are masked in the source"
    )
    extract: float = Field(0.0, ge=0, description="generate the principal sentences, not masked")
    corrupt_spans: float = Field(0.0, ge=0, description="generate the masked spans, as in T5")
    summarize: float = Field(0.0, ge=0, description="generate the article's highlights")

    @model_validator(mode="after")
    def _draw_something(self) -> "TaskWeights":
        if not any(self.model_dump().values()):
            raise ValueError("at least one task must have a weight above 0")
        return self


class TextStage(Settings):
    """Train on generated articles, each used once, and on windows of the extra text."""

    kind: Literal["text"]
    name: str
    batch_size: int = Field(16, ge=1)
    steps: int = Field(..., ge=1)
    tasks: TaskWeights
    pool: int = Field(
        1,
        ge=1,
        description="batches made at once; their rows are sorted by length to reduce padding",
    )
    window_tokens: int | None = Field(
        None,
        ge=32,
        description="maximum tokens of an article per row; None: text.max_source_tokens",
    )
    extra_window_tokens: int | None = Field(
        None, ge=32, description="window_tokens for extra text; None: window_tokens"
    )
    background_share: float = Field(
        1.0, ge=0, le=1, description="share kept of a generated article's paragraphs without facts"
    )
    extra_share: float = Field(0.25, ge=0, lt=1, description="share of rows from the extra text")
    rate: float = Field(1.0, gt=0, description="factor of the recipe's learning rates")

    @property
    def most_steps(self) -> int:
        """Number of steps."""
        return self.steps


Stage = Annotated[StringStage | TextStage, Field(discriminator="kind")]


class SalienceFit(Settings):
    """A new salience head, fitted to the frozen encoder after all stages (`salience.py`)."""

    generated_articles: int = Field(1500, ge=1, description="number, in addition to the extra text")
    epochs: int = Field(20, ge=1)
    batch_size: int = Field(2048, ge=1, description="segments per step")
    learning_rate: float = Field(
        2e-3, gt=0, description="at the start; falls linearly to a twentieth"
    )
    weight_decay: float = Field(0.05, ge=0, description="of AdamW")
    state_dropout: float = Field(
        0.9, ge=0, le=1, description="dropout rate of the encoder's states; 1: features only"
    )


class Recipe(Settings):
    """All settings of a pretrained checkpoint; only the extra text is not among them."""

    seed: int
    model: ScratchModel
    vocabulary_articles: int = Field(
        4200, ge=100, description="number that the vocabulary is trained on"
    )
    text: TextSettings
    stages: tuple[Stage, ...] = Field(..., min_length=1)
    salience_fit: SalienceFit | None = Field(
        None, description="None: keep the head trained with the encoder"
    )
    learning_rate: float = Field(3e-2, gt=0, description="of AdamW: embeddings, norms, positions")
    matrix_learning_rate: float = Field(4e-3, gt=0, description="of Muon: the layers' matrices")
    warmup_steps: int = Field(100, ge=0)
    decay_steps: int = Field(0, ge=0, description="last steps, in which the rates fall to a tenth")
    salience_learning_rate: float = Field(1e-3, gt=0)
    salience_weight: float = Field(1.0, ge=0)
    max_gradient_norm: float = Field(1.0, gt=0)
    save_every: int = Field(200, ge=1, description="steps between saved states")

    @property
    def vocabulary_size(self) -> int:
        """Number of pieces of the vocabulary, without sentinels."""
        if not isinstance(self.model.vocabulary, TrainedVocabulary):
            raise ConfigError("model.vocabulary: pretraining trains a vocabulary; set kind: train.")
        return self.model.vocabulary.size


def read_recipe(file: Path) -> Recipe:
    """Return the recipe in a YAML file.

    Raises:
        ConfigError: the file does not exist or is no YAML, or a setting is unknown or invalid.
    """
    return read_settings_file(file, Recipe)
