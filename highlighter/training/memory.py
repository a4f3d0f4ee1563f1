"""Estimate the memory that fine-tuning needs, and refuse a run that cannot fit before it starts."""

import logging
from typing import NamedTuple

import datasets
import numpy as np
import torch

from highlighter.errors import TrainingError
from highlighter.model.model import HighlightModel
from highlighter.settings import TextSettings, TrainingSettings
from highlighter.system.memory import available_memory

_FP32, _BF16 = 4, 2  # bytes
_GB = 2**30
_SAFETY = 2  # measured peaks are 1.4 to 2.6 times the estimate (docs/performance.md)
logger = logging.getLogger(__name__)


class Shape(NamedTuple):
    """A padded batch: rows of the encoder, those of them that reach the decoder, and lengths."""

    rows: int
    written: int
    source_tokens: int
    target_tokens: int


class Estimate(NamedTuple):
    """Memory needed in addition to the weights, in bytes."""

    gradients: int
    optimizer: int
    activations: int
    validation: int

    @property
    def total(self) -> int:
        """The peak: gradients grow while activations are freed; the optimizer's state remains."""
        return self.optimizer + max(self.gradients, self.activations, self.validation)


def check_memory(
    model: HighlightModel,
    rows: datasets.Dataset,
    *,
    text: TextSettings,
    settings: TrainingSettings,
    device: torch.device,
    precision: str,
) -> None:
    """Compare the estimate with the available memory; warn if the largest batches may not fit.

    Raises:
        TrainingError: even batches of mean length cannot fit; the message names what to change.
    """
    free = available_memory(device)
    weights = _FP32 * model.num_parameters()
    if device.type == "cpu":  # the weights are already in memory, in each process
        free, weights = free // settings.processes, 0
    least, most = estimate_range(model, rows, text, settings, precision)
    if least.total + weights > free:
        parts = ", ".join(f"{name} {size / _GB:.1f}" for name, size in least._asdict().items())
        raise TrainingError(
            f"Fine-tuning needs at least {(least.total + weights) / _GB:.1f} GB more memory "
            f"({parts}); {free / _GB:.1f} GB are available per process. {_advice(least, settings)}"
        )
    if _SAFETY * most.total + weights > free:
        logger.warning(
            "Memory may run out: the largest batches may need %.1f GB; %.1f GB are available. %s",
            (_SAFETY * most.total + weights) / _GB, free / _GB, _advice(most, settings),
        )  # fmt: skip


def estimate_range(
    model: HighlightModel,
    rows: datasets.Dataset,
    text: TextSettings,
    settings: TrainingSettings,
    precision: str,
) -> tuple[Estimate, Estimate]:
    """Return the estimates for a batch of mean lengths and for the largest possible batch.

    Args:
        model: the model.
        rows: rows with `source_length` and `target_length` in tokens.
        text: limits of source and target.
        settings: the settings of the training.
        precision: "fp32" or "bf16".
    """
    sources, targets = (np.asarray(rows[name][:]) for name in ("source_length", "target_length"))
    reads_windows = settings.salience_weight and sources.max() > text.max_source_tokens
    windows = 1 + (settings.reading_windows if reads_windows else 0)
    sources = np.minimum(sources, text.max_source_tokens)
    targets = np.minimum(targets, text.max_target_tokens)
    size = settings.batch_size
    least = Shape(size, size, int(sources.mean()), int(targets.mean()))
    most = Shape(size * windows, size, int(sources.max()), int(targets.max()))
    return (
        estimate(model, least, settings, precision),
        estimate(model, most, settings, precision),
    )


def estimate(
    model: HighlightModel, shape: Shape, settings: TrainingSettings, precision: str
) -> Estimate:
    """Return the estimate for batches of one shape.

    A layer's activations follow Korthikanti et al. 2022, "Reducing Activation Recomputation in
    Large Transformer Models": 17 numbers per token and hidden unit, 5 bytes per attention weight.
    """
    config = model.config
    width, heads = config.hidden_size, config.num_attention_heads
    encoder_layers, decoder_layers = model.layers
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    number = _BF16 if precision == "bf16" else _FP32
    copies = _BF16 * model.num_parameters() if precision == "bf16" else 0  # autocast keeps them
    gradients = _FP32 * trained
    source, target = shape.rows * shape.source_tokens, shape.written * shape.target_tokens
    logits = _FP32 * target * config.vocab_size
    encoder = source * (17 * number * width + 5 * heads * shape.source_tokens)
    keys = shape.source_tokens + shape.target_tokens
    decoder = target * (24 * number * width + 5 * heads * keys)
    if not settings.summary_weight:
        target = logits = decoder = 0
    activations = encoder_layers * encoder + decoder_layers * decoder + 3 * logits
    if settings.gradient_checkpointing:  # layers' inputs are kept, one layer is computed again
        inputs = encoder_layers * source + decoder_layers * target
        activations = _FP32 * width * inputs + max(encoder, decoder, 3 * logits)
    if settings.gradient_accumulation_steps > 1 or settings.processes > 1:
        activations += gradients  # of the previous batch, or the buckets that are exchanged
    rows = settings.evaluation_batch_size
    scores = rows * heads * shape.source_tokens**2
    validation = 2 * _FP32 * max(scores, rows * shape.target_tokens * config.vocab_size)
    return Estimate(
        gradients=gradients if settings.processes == 1 else 2 * gradients,
        optimizer=0 if settings.optimizer == "adafactor" else 2 * _FP32 * trained,
        activations=activations + copies,
        validation=validation + copies,
    )


def _advice(needed: Estimate, settings: TrainingSettings) -> str:
    """Return the settings that reduce the largest part."""
    if needed.validation >= max(needed.activations, needed.gradients):
        return f"Lower training.evaluation_batch_size ({settings.evaluation_batch_size})."
    changes = {
        f"lower training.batch_size ({settings.batch_size}) and raise "
        "training.gradient_accumulation_steps as much": settings.batch_size > 1,
        "set training.gradient_checkpointing: true": not settings.gradient_checkpointing,
        "set training.lora: {}": settings.lora is None,
        "set training.optimizer: adafactor": settings.lora is None
        and settings.optimizer != "adafactor",
        f"lower training.processes ({settings.processes})": settings.processes > 1,
        "lower text.max_source_tokens": True,
    }
    text = "; ".join(change for change, possible in changes.items() if possible)
    return f"{text[0].upper()}{text[1:]}."
