"""Every setting of a run, as typed objects; unknown keys and wrong types are errors.

A run's YAML (ZenML's run-configuration form) fills these: settings that several steps share are
under `parameters`, the others under `steps.<step>.parameters`. `configs/embedded.yaml` writes out
all of them.
"""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

# In MLflow's registry and in the BentoML store. `service.py` and `bentofile.yaml` name it too.
MODEL_NAME = "news-highlighter"
# ZenML's pipeline and MLflow's experiment.
PIPELINE_NAME = "news_summarization"


class Settings(BaseModel):
    """Base of all settings: immutable, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- ingest ---------------------------------------------------------------------------------------


class Columns(Settings):
    """Names of the columns to read from the source."""

    article: str = Field("article", description="column of the articles")
    highlights: str = Field("highlights", description="column of the reference summaries")
    id: str | None = Field(
        None, description="column of unique row ids; None: a hash of the article is the id"
    )
    group: str | None = Field(
        None, description="column whose values the evaluation also scores separately; None: none"
    )

    @property
    def texts(self) -> dict[str, str]:
        """The names of the columns that hold text, by field."""
        return {"article": self.article, "highlights": self.highlights}

    @property
    def names(self) -> list[str]:
        """The names of the columns that are read."""
        return [name for name in (*self.texts.values(), self.id, self.group) if name]


class ArticleColumns(Columns):
    """Names of the columns of rows to summarize, which need no reference."""

    @property
    def texts(self) -> dict[str, str]:
        """The name of the article's column."""
        return {"article": self.article}


class RowLimits(Settings):
    """The number of rows to read from the start of each split."""

    train: int | None = Field(None, ge=1, description="rows to train on; None: all")
    validation: int | None = Field(None, ge=1, description="rows to validate on; None: all")
    test: int | None = Field(None, ge=1, description="rows to evaluate on; None: all")


class HubSource(Settings):
    """A dataset repository of the Hugging Face Hub, or a local folder with the same files."""

    kind: Literal["hub"]
    repository: str = Field("abisee/cnn_dailymail", description="repository, or a local folder")
    configuration: str = Field("3.0.0", description="configuration (subset) of the dataset")
    revision: str = Field("main", description="branch, tag or commit of the repository")
    columns: Columns = Columns(id="id")
    limits: RowLimits = RowLimits()


class SplitFractions(Settings):
    """How one file is split after a seeded shuffle; the remaining rows are for training."""

    validation: float = Field(0.1, gt=0, lt=1, description="share of the rows to validate on")
    test: float = Field(0.1, gt=0, lt=1, description="share of the rows to evaluate on")

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> "SplitFractions":
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together must be below 1")
        return self


class FileSource(Settings):
    """CSV, JSON or parquet files: one (or a pattern) per split, or a single one to be split.

    Paths are relative to the folder in which the command is started. Addresses (`https://`,
    `s3://`, `gs://`, `hf://` and others that fsspec knows) are downloaded first.
    """

    kind: Literal["files"]
    train: str | None = Field(None, description="file of the training split")
    validation: str | None = Field(None, description="file of the validation split")
    test: str | None = Field(None, description="file of the test split")
    all: str | None = Field(
        None, description="one file to be split, instead of train, validation and test"
    )
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
    """The corpus that ships with the project (`highlighter/embedded/corpus`)."""

    kind: Literal["embedded"]
    limits: RowLimits = RowLimits()


Source = Annotated[HubSource | FileSource | EmbeddedSource, Field(discriminator="kind")]


class MinimumRows(Settings):
    """The minimum number of valid rows per split; with fewer, the run stops."""

    train: int = Field(1, ge=1, description="valid rows to train on")
    validation: int = Field(1, ge=1, description="valid rows to validate on")
    test: int = Field(1, ge=1, description="valid rows to evaluate on")


# --- model and text -------------------------------------------------------------------------------


class TextSettings(Settings):
    """The limits of the model's input and output, in tokens, the end token included."""

    prefix: str | None = Field(
        "summarize: ",
        description="task prefix before every article; None: the one of the model's family",
    )
    max_source_tokens: int = Field(
        512, ge=32, le=16384, description="tokens of one window of an article, prefix included"
    )
    max_target_tokens: int = Field(
        128, ge=8, le=1024, description="tokens of a reference summary in training; the rest is cut"
    )
    overlap_tokens: int = Field(
        64, ge=0, description="tokens shared by neighboring windows of a long article"
    )

    @model_validator(mode="after")
    def _keep_windows_moving(self) -> "TextSettings":
        if 2 * self.overlap_tokens > self.max_source_tokens:
            raise ValueError("overlap_tokens must be at most half of max_source_tokens")
        return self


class TrustSettings(Settings):
    """Checks of a written summary; one that fails is replaced by the most salient sentences."""

    names_from_article: bool = Field(
        False,
        description="restrict capitalized words and numbers to those of the article: a summary "
        "with another one is decoded again under this constraint (with one beam, every summary)",
    )
    supported_facts_only: bool = Field(
        True,
        description="require that each name, number and date appears in the article, and that no "
        "rule finds a contradiction to it",
    )
    minimum_confidence: float = Field(
        0.0, ge=0, le=1, description="minimum geometric mean of the summary's token probabilities"
    )
    minimum_coverage: float = Field(
        0.0,
        ge=0,
        le=1,
        description="minimum share of the most salient sentences' words that the summary contains",
    )


DecoderSource = Literal["first", "selected"]


class Calibration(Settings):
    """Platt's scaling of salience scores: the logit of a score becomes slope x logit + offset."""

    slope: float = Field(..., gt=0, description="factor of the logit")
    offset: float = Field(..., description="added to the scaled logit")


class HighlightSettings(Settings):
    """What the salience scores are used for."""

    source: DecoderSource = Field(
        "selected",
        description="what the decoder reads of an article longer than its window: `first`, the "
        "start; `selected`, the most salient sentences and then the start",
    )
    sentences: int = Field(
        3,
        ge=1,
        le=50,
        description="number of most salient sentences: in the extractive summary if `words` is "
        "None, first in the decoder's source if that is `selected`, and in the check of coverage",
    )
    learn_words: bool = Field(
        False, description="set `words` to the length that suits the validation split best"
    )
    words: int | None = Field(
        None,
        ge=1,
        description="words that the extractive summary has about, and whose number of sentences is "
        "that of the important paragraphs; None: `sentences` decides",
    )
    words_elsewhere: int = Field(
        70, ge=1, description="`words` for an article that is unlike those of the training split"
    )
    calibrate: bool = Field(
        False, description="set `calibration` to what makes the validation split's scores right"
    )
    calibration: Calibration | None = Field(
        None,
        description="of the scores of articles like those of the training split; None: the scores "
        "are those of the salience head, as for all other articles",
    )
    trigram_blocking: bool = Field(
        True, description="skip a sentence that repeats a trigram of a more salient one"
    )
    trust: TrustSettings = TrustSettings()


class PretrainedModel(Settings):
    """A model of the Hugging Face Hub, or a local folder with the same files.

    `docs/models.md` lists the supported families.
    """

    kind: Literal["pretrained"]
    name: str = Field("google-t5/t5-base", description="repository, or a local folder")
    revision: str = Field("main", description="branch, tag or commit of the repository")


class EmbeddedModel(Settings):
    """The small pretrained T5 that ships with the project (`highlighter/embedded/model`)."""

    kind: Literal["embedded"]


class TrainedVocabulary(Settings):
    """A SentencePiece vocabulary, trained on the training split with byte fallback."""

    kind: Literal["train"]
    size: int = Field(4000, ge=400, le=64000, description="pieces, without T5's 100 sentinels")


class GivenVocabulary(Settings):
    """An existing SentencePiece vocabulary."""

    kind: Literal["folder"]
    path: str = Field(..., description="folder that holds `spiece.model`")


class ScratchModel(Settings):
    """A T5 with random weights, built from its shape. The defaults suit tests."""

    kind: Literal["scratch"]
    vocabulary: Annotated[TrainedVocabulary | GivenVocabulary, Field(discriminator="kind")] = (
        TrainedVocabulary(kind="train")
    )
    d_model: int = Field(128, ge=8, description="width of the hidden states")
    d_kv: int = Field(32, ge=4, description="width of one attention head")
    d_ff: int = Field(256, ge=8, description="width of the feed-forward layers")
    num_layers: int = Field(2, ge=1, description="encoder layers")
    num_decoder_layers: int = Field(2, ge=1, description="decoder layers")
    num_heads: int = Field(4, ge=1, description="attention heads per layer")
    dropout_rate: float = Field(0.1, ge=0, lt=1, description="dropout in training")
    feed_forward_proj: Literal["relu", "gated-gelu"] = Field(
        "relu", description="activation: relu as in T5, gated-gelu as in T5 v1.1"
    )
    tie_word_embeddings: bool = Field(
        True, description="share the embeddings with the output layer, as T5 does"
    )


class StudentModel(Settings):
    """A smaller copy of a registered model, to be trained further (Shleifer & Rush 2020)."""

    kind: Literal["student"]
    teacher: str = Field(
        "champion",
        min_length=1,
        description="`champion` (if that is a student: its teacher), models:/NAME/VERSION, or the "
        "folder of a registered checkpoint",
    )
    encoder_layers: int = Field(
        2, ge=1, description="encoder layers copied, evenly spaced, first and last included"
    )
    decoder_layers: int = Field(
        1, ge=1, description="decoder layers copied; at most as many as encoder layers"
    )
    teacher_targets: int = Field(
        0,
        ge=0,
        description="training articles, from the first, whose target is the teacher's summary "
        "(Kim & Rush 2016); the others keep their reference",
    )

    @model_validator(mode="after")
    def _keep_the_encoder_as_deep(self) -> "StudentModel":
        # transformers 5.23 allocates one cache entry per encoder layer for the decoder.
        if self.decoder_layers > self.encoder_layers:
            raise ValueError("decoder_layers must not exceed encoder_layers")
        return self


ModelSource = Annotated[
    EmbeddedModel | PretrainedModel | ScratchModel | StudentModel, Field(discriminator="kind")
]


class GenerationSettings(Settings):
    """How summaries are decoded, in the evaluation and in the service."""

    num_beams: int = Field(4, ge=1, le=16, description="beams of beam search; 1: greedy")
    length_penalty: float = Field(
        0.6, description="exponent of the length that scores are divided by, with beams only"
    )
    min_new_tokens: int = Field(0, ge=0, description="minimum length of a summary in tokens")
    max_new_tokens: int = Field(128, ge=1, description="maximum length of a summary in tokens")
    no_repeat_ngram_size: int = Field(
        3, ge=0, description="length of the n-grams of tokens that may not repeat; 0: all may"
    )

    @model_validator(mode="after")
    def _order_the_lengths(self) -> "GenerationSettings":
        if self.min_new_tokens > self.max_new_tokens:
            raise ValueError("min_new_tokens must not exceed max_new_tokens")
        return self


# --- tokenize, fine-tune, evaluate, register ------------------------------------------------------


class MapSettings(Settings):
    """How articles are tokenized and their sentences labeled."""

    workers: int | None = Field(
        None, ge=1, description="processes that tokenize; None: one per core"
    )
    batch_size: int = Field(256, ge=1, description="rows that are tokenized together")
    oracle_sentences: int = Field(
        3, ge=1, description="maximum number of sentences per article that are labeled salient"
    )


Matrix = Literal["q", "k", "v", "o", "wi", "wi_0", "wi_1", "wo"]


class LoraSettings(Settings):
    """Low-rank updates of frozen weights (Hu et al. 2021), merged after training."""

    rank: int = Field(16, ge=1, description="rank of the updates")
    alpha: float = Field(32.0, gt=0, description="updates are scaled by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the updates")
    targets: list[Matrix] = Field(
        ["q", "v"],
        min_length=1,
        description="weight matrices to update in every layer, by their names in T5",
    )


class TrainingSettings(Settings):
    """Fine-tuning.

    One optimizer step uses processes x batch_size x gradient_accumulation_steps rows.
    """

    epochs: float = Field(3.0, gt=0, description="passes over the training split")
    max_steps: int | None = Field(
        None, ge=1, description="optimizer steps; takes precedence over epochs"
    )
    batch_size: int = Field(16, ge=1, description="rows per forward pass and process")
    evaluation_batch_size: int = Field(32, ge=1, description="rows per forward pass in validation")
    gradient_accumulation_steps: int = Field(
        1, ge=1, description="forward passes per optimizer step"
    )
    gradient_checkpointing: bool = Field(
        False, description="recompute activations: less memory, about a third slower"
    )
    batch_workers: int | None = Field(
        None, ge=0, description="processes that prepare batches; None: 4 with a GPU, else none"
    )
    processes: int = Field(
        1, ge=1, description="training processes on this machine, one per GPU; 1: no extra process"
    )
    lora: LoraSettings | None = Field(
        None, description="train low-rank updates instead of all weights; None: all weights"
    )
    frozen: bool = Field(
        False, description="keep the encoder-decoder as it is and train the salience head only"
    )
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate of the model")
    salience_learning_rate: float = Field(
        1e-2, gt=0, description="peak learning rate of the salience head's own layers"
    )
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = Field(
        "linear", description="learning rate over time"
    )
    warmup_steps: int = Field(
        0, ge=0, description="optimizer steps until the peak learning rate is reached"
    )
    optimizer: Literal["adamw_torch_fused", "adamw_torch", "adafactor"] = Field(
        "adamw_torch_fused", description="optimizer, by its name in transformers"
    )
    weight_decay: float = Field(0.0, ge=0, description="weight decay of the optimizer")
    summary_weight: float = Field(
        1.0, ge=0, description="weight of the decoder's loss; 0: train for salience only"
    )
    salience_weight: float = Field(
        1.0, ge=0, description="weight of the salience head's loss; 0: train the summaries only"
    )
    reading_windows: int = Field(
        1, ge=0, description="extra windows per article and step, read for salience only"
    )
    max_gradient_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto", description="auto: bf16 where the processor supports it, else fp32"
    )
    device: Literal["auto", "cpu"] = Field("auto", description="auto: the GPU if there is one")
    logging_steps: int = Field(10, ge=1, description="optimizer steps between two logged losses")
    evaluations: int = Field(4, ge=1, description="validations in the whole run, evenly spaced")
    validation_rows: int | None = Field(
        None, ge=1, description="rows of the validation split to validate on; None: all"
    )
    selection_metric: Literal["loss", "rougeLsum"] = Field(
        "loss", description="validation metric that selects the weights to keep"
    )
    early_stopping_patience: int | None = Field(
        None, ge=1, description="validations without improvement that end training; None: no limit"
    )
    checkpoint_minutes: float = Field(
        10.0,
        gt=0,
        description="minutes between two saved training states (also saved at each validation)",
    )

    @model_validator(mode="after")
    def _train_something(self) -> "TrainingSettings":
        if self.summary_weight == self.salience_weight == 0:
            raise ValueError("summary_weight and salience_weight must not both be 0")
        if self.frozen and (self.lora or not self.salience_weight):
            raise ValueError("frozen needs a salience_weight above 0, and lora: null")
        return self


class EntailmentSettings(Settings):
    """A learned judge of faithfulness: a classifier of natural language inference (SummaC-ZS)."""

    model: str = Field(
        ...,
        min_length=1,
        description="repository of the Hugging Face Hub, or a local folder with the same files",
    )
    revision: str = Field("main", description="branch, tag or commit of the repository")
    articles: int = Field(100, ge=1, description="test articles that are judged, from the first")
    batch_size: int = Field(32, ge=1, description="pairs of sentences that are compared together")


class EvaluationSettings(Settings):
    """How the model is evaluated on the test split."""

    batch_size: int = Field(32, ge=1, description="articles that are summarized together")
    workers: int | None = Field(
        None, ge=1, description="processes that score summaries; None: one per core"
    )
    resamples: int = Field(2000, ge=100, description="bootstrap resamples per confidence interval")
    samples: int = Field(8, ge=1, description="articles shown in the report")
    timed_articles: int = Field(
        24, ge=2, description="articles that a student and its teacher are timed on, one at a time"
    )
    entailment: EntailmentSettings | None = Field(
        None, description="a learned judge that scores the summaries as well; None: none"
    )


System = Literal["served", "abstractive", "extractive"]
Metric = Literal["rouge1", "rouge2", "rougeL", "rougeLsum"]
Division = Literal["rouge_score", "all_scripts"]  # of texts into the words that ROUGE counts
ROUGE_TYPES: tuple[Metric, ...] = get_args(Metric)  # by their names in `rouge_score`


class GateSettings(Settings):
    """What a version must reach to become the champion; None: no minimum."""

    system: System = Field("abstractive", description="system whose summaries are compared")
    metric: Metric = Field("rougeLsum", description="ROUGE type that is compared")
    minimum_faithfulness: float | None = Field(
        None,
        ge=0,
        le=1,
        description="minimum share of the summaries' facts that appear in their articles",
    )
    minimum_gain_over_lead3: float | None = Field(
        None,
        ge=-100,
        le=100,
        description="minimum difference to LEAD-3, in points of the metric; below 0: may be worse",
    )
    maximum_loss_to_teacher: float | None = Field(
        None,
        ge=0,
        le=100,
        description="maximum points that a student may lose to its teacher; None: treated as "
        "any other model",
    )
    minimum_speedup: float | None = Field(
        None, gt=0, description="minimum ratio of a teacher's seconds per article to its student's"
    )


Engine = Literal["ctranslate2", "torch"]


class EngineSettings(Settings):
    """What decodes the summaries in the service on a CPU; on a GPU it is always torch."""

    kind: Engine = Field(
        "ctranslate2",
        description="ctranslate2 is faster with large models; names_from_article needs torch",
    )
    compute_type: Literal["int8", "int16", "float32"] = Field(
        "int8", description="type of CTranslate2's weights"
    )
    articles: int = Field(32, ge=1, description="test articles on which CTranslate2 is checked")
    minimum_agreement: float = Field(
        90.0,
        ge=0,
        le=100,
        description="minimum mean ROUGE-L F1 between CTranslate2's and torch's summaries; below "
        "it, torch serves",
    )


class RegistrySettings(Settings):
    """How the model is registered, and what makes it the champion."""

    gate: GateSettings = GateSettings()
    resamples: int = Field(
        2000, ge=100, description="bootstrap resamples of the comparison with the champion"
    )
