"""Every setting of a run, as typed objects; unknown keys and wrong types are errors.

A run's YAML (ZenML's run-configuration form) fills these: settings that several steps share stand
under `parameters`, the others under `steps.<step>.parameters`.
"""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Settings(BaseModel):
    """Immutable, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- ingest ---------------------------------------------------------------------------------------


class Columns(Settings):
    """Names of the source's columns. Without an `id` column, ids are hashes of the article."""

    article: str = "article"
    highlights: str = "highlights"
    id: str | None = None
    group: str | None = Field(None, description="the evaluation tells its values apart")

    @property
    def names(self) -> list[str]:
        """The source's columns that are read."""
        return [name for name in (self.article, self.highlights, self.id, self.group) if name]


class RowLimits(Settings):
    """Rows to read of each split, from its start; None reads all."""

    train: int | None = Field(None, ge=1)
    validation: int | None = Field(None, ge=1)
    test: int | None = Field(None, ge=1)


class HubSource(Settings):
    """A dataset repository of the Hugging Face hub, or a local folder with the same layout."""

    kind: Literal["hub"]
    repository: str = "abisee/cnn_dailymail"
    configuration: str = "3.0.0"
    revision: str = "main"
    columns: Columns = Columns(id="id")
    limits: RowLimits = RowLimits()


class SplitFractions(Settings):
    """How a single file is divided, after a seeded shuffle; what remains is for training."""

    validation: float = Field(0.1, gt=0, lt=1)
    test: float = Field(0.1, gt=0, lt=1)

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> "SplitFractions":
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together must be below 1")
        return self


class FileSource(Settings):
    """CSV, JSON lines or parquet files: one a split, or one to be split."""

    kind: Literal["files"]
    train: str | None = None
    validation: str | None = None
    test: str | None = None
    all: str | None = None
    fractions: SplitFractions = SplitFractions()
    columns: Columns = Columns()
    limits: RowLimits = RowLimits()

    @model_validator(mode="after")
    def _name_either_three_files_or_one(self) -> "FileSource":
        splits = [self.train, self.validation, self.test]
        if self.all is not None and any(splits):
            raise ValueError("give either `all` or `train`, `validation` and `test`, not both")
        if self.all is None and not all(splits):
            raise ValueError("give `train`, `validation` and `test`, or one file as `all`")
        return self


class EmbeddedSource(Settings):
    """The corpus that ships with the project."""

    kind: Literal["embedded"]
    limits: RowLimits = RowLimits()


Source = Annotated[HubSource | FileSource | EmbeddedSource, Field(discriminator="kind")]


class MinimumRows(Settings):
    """Fewer valid rows than this stop the run."""

    train: int = Field(1, ge=1)
    validation: int = Field(1, ge=1)
    test: int = Field(1, ge=1)


# --- model and text -------------------------------------------------------------------------------


class TextSettings(Settings):
    """What the model reads and writes at once, in tokens, the end token included."""

    prefix: str = "summarize: "
    max_source_tokens: int = Field(512, ge=32, le=16384)
    max_target_tokens: int = Field(128, ge=8, le=1024)
    overlap_tokens: int = Field(64, ge=0, description="read twice where two windows meet")

    @model_validator(mode="after")
    def _keep_windows_moving(self) -> "TextSettings":
        if 2 * self.overlap_tokens > self.max_source_tokens:
            raise ValueError("overlap_tokens must be at most half of max_source_tokens")
        return self


class TrustSettings(Settings):
    """What a summary is held to. One that fails is replaced by the most salient sentences."""

    names_from_article: bool = Field(
        False,
        description="no capitalised word or number but the article's: a summary that strays is "
        "written anew, held to these; with one beam, all are",
    )
    supported_facts_only: bool = Field(
        True, description="every name, number and date of it stands in the article"
    )
    minimum_confidence: float = Field(
        0.0, ge=0, le=1, description="least geometric mean of its tokens' probabilities"
    )
    minimum_coverage: float = Field(
        0.0, ge=0, le=1, description="least share of the most salient sentences' words that it says"
    )


DecoderSource = Literal["first", "selected"]


class HighlightSettings(Settings):
    """What is made of the salience scores."""

    source: DecoderSource = Field(
        "selected", description="what the decoder reads of an article longer than its window"
    )
    sentences: int = Field(
        3, ge=1, le=50, description="most salient ones: of the extractive summary, and selected"
    )
    trigram_blocking: bool = Field(True, description="no sentence that repeats a chosen trigram")
    trust: TrustSettings = TrustSettings()


class PretrainedModel(Settings):
    """A T5 of the hub by name, or a folder with the same files."""

    kind: Literal["pretrained"]
    name: str = "google-t5/t5-base"
    revision: str = "main"


class EmbeddedModel(Settings):
    """The small pretrained T5 that ships with the project."""

    kind: Literal["embedded"]


class TrainedVocabulary(Settings):
    """A SentencePiece vocabulary, trained on the training split with byte fallback."""

    kind: Literal["train"]
    size: int = Field(4000, ge=400, le=64000)


class GivenVocabulary(Settings):
    """A folder that holds `spiece.model`."""

    kind: Literal["folder"]
    path: str


class ScratchModel(Settings):
    """A T5 built from its shape, with random weights. Defaults: a model for tests."""

    kind: Literal["scratch"]
    vocabulary: Annotated[TrainedVocabulary | GivenVocabulary, Field(discriminator="kind")] = (
        TrainedVocabulary(kind="train")
    )
    d_model: int = Field(128, ge=8)
    d_kv: int = Field(32, ge=4)
    d_ff: int = Field(256, ge=8)
    num_layers: int = Field(2, ge=1)
    num_decoder_layers: int = Field(2, ge=1)
    num_heads: int = Field(4, ge=1)
    dropout_rate: float = Field(0.1, ge=0, lt=1)
    feed_forward_proj: Literal["relu", "gated-gelu"] = "relu"
    tie_word_embeddings: bool = True


class StudentModel(Settings):
    """A smaller copy of a registered model, to be trained further (Shleifer & Rush 2020)."""

    kind: Literal["student"]
    teacher: str = Field(
        "champion",
        min_length=1,
        description="`champion`, models:/NAME/VERSION, or the folder of a registered checkpoint",
    )
    encoder_layers: int = Field(2, ge=1)
    decoder_layers: int = Field(1, ge=1)
    teacher_targets: int = Field(
        0, ge=0, description="training articles, from the first, whose summary the teacher writes"
    )

    @model_validator(mode="after")
    def _keep_the_encoder_as_deep(self) -> "StudentModel":
        # transformers 5.23 makes room for as many layers of decoder states as the encoder has.
        if self.decoder_layers > self.encoder_layers:
            raise ValueError("decoder_layers must not exceed encoder_layers")
        return self


ModelSource = Annotated[
    EmbeddedModel | PretrainedModel | ScratchModel | StudentModel, Field(discriminator="kind")
]


class GenerationSettings(Settings):
    """How summaries are written, in evaluation and in the service. Lengths count tokens."""

    num_beams: int = Field(4, ge=1, le=16)
    length_penalty: float = 0.6
    min_new_tokens: int = Field(0, ge=0)
    max_new_tokens: int = Field(128, ge=1)
    no_repeat_ngram_size: int = Field(3, ge=0)

    @model_validator(mode="after")
    def _order_the_lengths(self) -> "GenerationSettings":
        if self.min_new_tokens > self.max_new_tokens:
            raise ValueError("min_new_tokens must not exceed max_new_tokens")
        return self


# --- tokenize, fine-tune, evaluate, register ------------------------------------------------------


class MapSettings(Settings):
    """How rows are mapped. Workers are processes; None takes one a core."""

    workers: int | None = Field(None, ge=1)
    batch_size: int = Field(256, ge=1)
    oracle_sentences: int = Field(3, ge=1, description="salient sentences an article has at most")


class LoraSettings(Settings):
    """Low-rank updates beside frozen weights (Hu et al. 2021), merged when training is done."""

    rank: int = Field(16, ge=1)
    alpha: float = Field(32.0, gt=0, description="the update is scaled by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: list[Literal["q", "k", "v", "o", "wi", "wi_0", "wi_1", "wo"]] = Field(
        ["q", "v"], min_length=1, description="T5's matrices, in every layer"
    )


class TrainingSettings(Settings):
    """Fine-tuning.

    One optimizer step sees processes x batch_size x gradient_accumulation_steps rows.
    """

    epochs: float = Field(3.0, gt=0)
    max_steps: int | None = Field(None, ge=1)
    batch_size: int = Field(16, ge=1)
    evaluation_batch_size: int = Field(32, ge=1)
    gradient_accumulation_steps: int = Field(1, ge=1)
    gradient_checkpointing: bool = False
    processes: int = Field(1, ge=1, description="of this machine; 1 trains in the step's own")
    lora: LoraSettings | None = None
    learning_rate: float = Field(1e-3, gt=0)
    salience_learning_rate: float = Field(1e-2, gt=0, description="of the new head's own layers")
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "linear"
    warmup_steps: int = Field(0, ge=0)
    optimizer: Literal["adamw_torch_fused", "adamw_torch", "adafactor"] = "adamw_torch_fused"
    weight_decay: float = Field(0.0, ge=0)
    summary_weight: float = Field(1.0, ge=0, description="of the decoder's loss")
    salience_weight: float = Field(1.0, ge=0, description="of the salience head's loss")
    reading_windows: int = Field(
        1, ge=0, description="windows beyond the source, a step, an article"
    )
    max_gradient_norm: float = Field(1.0, gt=0)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    device: Literal["auto", "cpu"] = "auto"
    logging_steps: int = Field(10, ge=1)
    evaluations: int = Field(4, ge=1, description="validations in the whole run, evenly spaced")
    validation_rows: int | None = Field(None, ge=1)
    selection_metric: Literal["loss", "rougeLsum"] = "loss"
    early_stopping_patience: int | None = Field(None, ge=1)
    checkpoint_minutes: float = Field(
        10.0, gt=0, description="most training that an interruption loses; validations save too"
    )

    @model_validator(mode="after")
    def _train_something(self) -> "TrainingSettings":
        if self.summary_weight == self.salience_weight == 0:
            raise ValueError("summary_weight and salience_weight must not both be 0")
        return self


class EvaluationSettings(Settings):
    """Judging on the test split."""

    batch_size: int = Field(32, ge=1)
    workers: int | None = Field(None, ge=1, description="processes that score; None: one a core")
    resamples: int = Field(2000, ge=100, description="bootstrap resamples of an interval")
    samples: int = Field(8, ge=1, description="articles shown in the report")
    timed_articles: int = Field(
        24, ge=2, description="that a student and its teacher write in turn, one at a time"
    )


System = Literal["served", "abstractive", "extractive"]
Metric = Literal["rouge1", "rouge2", "rougeL", "rougeLsum"]
ROUGE_TYPES: tuple[Metric, ...] = get_args(Metric)  # by their names in `rouge_score`


class GateSettings(Settings):
    """What a version must reach to be promoted; None sets no floor."""

    system: System = "abstractive"
    metric: Metric = "rougeLsum"
    minimum_faithfulness: float | None = Field(None, ge=0, le=1, description="a share")
    minimum_gain_over_lead3: float | None = Field(
        None, ge=-100, le=100, description="points of the metric in percent; below 0: may be worse"
    )
    maximum_loss_to_teacher: float | None = Field(
        None, ge=0, le=100, description="points that a student may lose; None: as any other model"
    )
    minimum_speedup: float | None = Field(
        None, gt=0, description="of a student: its teacher's seconds an article over its own"
    )


Engine = Literal["ctranslate2", "torch"]


class EngineSettings(Settings):
    """What writes the summaries in the service on a CPU; on a GPU it is torch."""

    kind: Engine = "ctranslate2"
    compute_type: Literal["int8", "int16", "float32"] = Field(
        "int8", description="CTranslate2's, of the weights"
    )
    articles: int = Field(32, ge=1, description="of the test split, to compare it with torch on")
    minimum_agreement: float = Field(
        90.0, ge=0, le=100, description="least mean ROUGE-L F1 against torch's summaries"
    )


class RegistrySettings(Settings):
    """Where the model is registered, and what makes it the champion."""

    model_name: Literal["news-highlighter"] = "news-highlighter"
    gate: GateSettings = GateSettings()
    resamples: int = Field(2000, ge=100, description="bootstrap resamples against the champion")
