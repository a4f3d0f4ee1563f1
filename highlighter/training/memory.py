"""How much memory fine-tuning takes, told before it starts and not by the system when it's gone."""

import logging
from dataclasses import dataclass

import datasets
import numpy as np
import torch
from transformers import T5Config

from highlighter.errors import TrainingError
from highlighter.model.model import HighlightModel
from highlighter.settings import TextSettings, TrainingSettings
from highlighter.system.memory import available_memory

_FLOAT = 4
_ALLOCATED = 2  # a T5-base's peaks were up to 1.7 times what its largest batches are known to need
_GB = 2**30
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shape:
    """The rows of one batch, as they are padded."""

    rows: int
    written: int  # of them, those that reach the decoder
    source_tokens: int
    target_tokens: int


@dataclass(frozen=True)
class Estimate:
    """Bytes, beyond the weights themselves, at the worst moment of training and validation."""

    gradients: int
    optimizer: int
    activations: int
    validation: int

    @property
    def total(self) -> int:
        """The optimizer's state stays; gradients grow as activations are given back."""
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
    """Warn where memory may not suffice.

    Raises:
        TrainingError: it can't suffice, even if every batch were of average length.
    """
    free = available_memory(device)
    if device.type == "cpu":
        free //= settings.processes
    least, most = (
        estimate(model, shape, settings, precision) for shape in batch_shapes(rows, text, settings)
    )
    weights = 0 if device.type == "cpu" else _FLOAT * model.num_parameters()  # not there yet
    if least.total + weights > free:
        raise TrainingError(
            f"Fine-tuning needs at least {(least.total + weights) / _GB:.1f} GB more memory "
            f"(gradients {least.gradients / _GB:.1f}, optimizer {least.optimizer / _GB:.1f}, "
            f"activations {least.activations / _GB:.1f}, validation {least.validation / _GB:.1f}), "
            f"and {free / _GB:.1f} GB are free for a process. {_advice(least, settings)}"
        )
    if _ALLOCATED * most.total + weights > free:
        logger.warning(
            "Memory may run out: the largest batches may take %.1f GB, and %.1f GB are free. %s",
            (_ALLOCATED * most.total + weights) / _GB,
            free / _GB,
            _advice(most, settings),
        )


def batch_shapes(
    rows: datasets.Dataset, text: TextSettings, settings: TrainingSettings
) -> tuple[Shape, Shape]:
    """What some batch has at least (a mean row is no longer than the longest), and at most."""
    sources, targets = (np.asarray(rows[name][:]) for name in ("source_length", "target_length"))
    windows = 1
    if settings.salience_weight and sources.max() > text.max_source_tokens:
        windows += settings.reading_windows
    sources = np.minimum(sources, text.max_source_tokens)
    targets = np.minimum(targets, text.max_target_tokens)
    size = settings.batch_size
    least = Shape(size, size, int(sources.mean()), int(targets.mean()))
    return least, Shape(size * windows, size, int(sources.max()), int(targets.max()))


def estimate(
    model: HighlightModel, shape: Shape, settings: TrainingSettings, precision: str
) -> Estimate:
    """The estimate for batches of one shape."""
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    count = sum(weight.numel() for weight in learning)
    gradients = _FLOAT * count * (1 if settings.processes == 1 else 2)  # and DDP's buckets
    activations = _activations(model.config, shape, settings, precision)
    if settings.gradient_accumulation_steps > 1 or settings.processes > 1:
        activations += gradients  # those of the batch before, or the buckets
    if settings.optimizer == "adafactor":
        # A row and a column of sums, and the update of one matrix at a time.
        optimizer = _FLOAT * sum(sum(weight.shape) for weight in learning)
        gradients += _FLOAT * max(weight.numel() for weight in learning)
    else:
        optimizer = 2 * _FLOAT * count
    casts = 2 * model.num_parameters() if precision == "bf16" else 0  # autocast keeps them
    validated = Shape(
        settings.evaluation_batch_size,
        settings.evaluation_batch_size,
        shape.source_tokens,
        shape.target_tokens,
    )
    return Estimate(
        gradients=gradients,
        optimizer=optimizer,
        activations=activations + casts,
        validation=_validation(model.config, validated) + casts,
    )


def _activations(config: T5Config, shape: Shape, settings: TrainingSettings, precision: str) -> int:
    """What the backward pass needs of the forward pass, when it begins."""
    width = 2 if precision == "bf16" else _FLOAT
    source, target = shape.rows * shape.source_tokens, shape.written * shape.target_tokens
    encoder = _layer(config, source, [shape.source_tokens], width)
    decoder = _layer(config, target, [shape.target_tokens], width) + _cross_attention(
        config, shape, width
    )
    # Log-probabilities of the vocabulary, their gradient, and the logits'.
    output: int = 3 * _FLOAT * target * config.vocab_size
    if not settings.summary_weight:
        decoder = output = 0
    layers: int = config.num_layers * encoder + config.num_decoder_layers * decoder
    if not settings.gradient_checkpointing:
        return layers + output
    kept: int = _FLOAT * config.d_model * (config.num_layers * source)
    kept += _FLOAT * config.d_model * (config.num_decoder_layers * target)
    return kept + max(encoder, decoder, output)


def _layer(config: T5Config, tokens: int, keys: list[int], width: int) -> int:
    """Self-attention and feed-forward of one layer: sums and norms in fp32, the rest in `width`."""
    inner, dropped = config.num_heads * config.d_kv, int(config.dropout_rate > 0)
    wide = config.d_ff * ((4 if config.is_gated_act else 1) + dropped)
    size: int = tokens * (6 * config.d_model * _FLOAT + (4 * inner + wide) * width)
    weights: int = sum(config.num_heads * tokens * length for length in keys)
    return size + weights * _FLOAT * (1 + dropped)


def _cross_attention(config: T5Config, shape: Shape, width: int) -> int:
    inner, dropped = config.num_heads * config.d_kv, int(config.dropout_rate > 0)
    source, target = shape.written * shape.source_tokens, shape.written * shape.target_tokens
    size: int = (
        target * (3 * config.d_model * _FLOAT + 2 * inner * width) + source * 2 * inner * width
    )
    weights: int = config.num_heads * target * shape.source_tokens
    return size + weights * _FLOAT * (1 + dropped)


def _validation(config: T5Config, shape: Shape) -> int:
    """Scores and weights of one layer's attention; or logits and log-probabilities."""
    attention: int = shape.rows * config.num_heads * shape.source_tokens**2
    logits: int = shape.written * shape.target_tokens * config.vocab_size
    return 2 * _FLOAT * max(attention, logits)


def _advice(needed: Estimate, settings: TrainingSettings) -> str:
    """The settings that would bring the largest part down."""
    if needed.validation >= max(needed.activations, needed.gradients):
        return f"Lower training.evaluation_batch_size ({settings.evaluation_batch_size})."
    advice = []
    if settings.batch_size > 1:
        advice.append(
            f"lower training.batch_size ({settings.batch_size}) and raise "
            "training.gradient_accumulation_steps as much"
        )
    if not settings.gradient_checkpointing:
        advice.append("set training.gradient_checkpointing: true")
    if settings.lora is None:
        advice.append("set training.lora: {}")
        if settings.optimizer != "adafactor":
            advice.append("set training.optimizer: adafactor")
    if settings.processes > 1:
        advice.append(f"lower training.processes ({settings.processes})")
    advice.append("lower text.max_source_tokens")
    text = "; ".join(advice)
    return f"{text[0].upper()}{text[1:]}."
