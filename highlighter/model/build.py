"""Build the model that a run fine-tunes: pretrained, from scratch, a student, or with LoRA."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

import torch
from peft import LoraConfig, LoraModel
from transformers import PreTrainedTokenizerBase, T5Config, T5ForConditionalGeneration, set_seed

from highlighter.embedded import CHECKPOINT
from highlighter.errors import CheckpointError
from highlighter.model.model import T5ForHighlighting, load_model
from highlighter.settings import (
    EmbeddedModel,
    LoraSettings,
    ModelSource,
    PretrainedModel,
    ScratchModel,
    StudentModel,
)

_T5 = TypeVar("_T5", bound=T5ForConditionalGeneration)
_LAYER = re.compile(r"^(encoder|decoder)\.block\.(\d+)\.")
# Only the first layer has it; the others reuse what it gives.
_POSITIONS = "layer.0.SelfAttention.relative_attention_bias.weight"


def shrink(teacher: _T5, encoder_layers: int, decoder_layers: int) -> _T5:
    """A student with so many of the teacher's layers; all other weights are the teacher's.

    Raises:
        CheckpointError: the teacher has fewer layers.
    """
    config = deepcopy(teacher.config)
    kept = {
        "encoder": kept_layers(config.num_layers, encoder_layers, "encoder"),
        "decoder": kept_layers(config.num_decoder_layers, decoder_layers, "decoder"),
    }
    config.num_layers, config.num_decoder_layers = encoder_layers, decoder_layers
    student: _T5 = type(teacher)(config)
    # Strictly: every weight of the student is one of the teacher's.
    student.load_state_dict(_of_layers(teacher.state_dict(), kept))
    student.tie_weights()
    return student


def kept_layers(teacher: int, student: int, stack: str) -> list[int]:
    """Which of the teacher's layers a student keeps: evenly spaced, the first and the last too.

    Raises:
        CheckpointError: there are not that many.
    """
    if student > teacher:
        raise CheckpointError(
            f"a student of {student} {stack} layers can't be made from a teacher of {teacher}: "
            f"lower parameters.model.{stack}_layers."
        )
    if student == 1:
        return [0]
    return [round(place * (teacher - 1) / (student - 1)) for place in range(student)]


def _of_layers(
    weights: dict[str, torch.Tensor], kept: Mapping[str, Sequence[int]]
) -> dict[str, torch.Tensor]:
    """The weights but for those of layers that are left out; the kept ones are numbered anew."""
    chosen = {}
    for name, weight in weights.items():
        place = _LAYER.match(name)
        if place is None or name.endswith(_POSITIONS):
            chosen[name] = weight
        elif int(place[2]) in kept[place[1]]:
            number = kept[place[1]].index(int(place[2]))
            chosen[f"{place[1]}.block.{number}.{name[place.end() :]}"] = weight
    return chosen


class LowRankUpdates:
    """Adapters inside a model; until they are merged, only they and the salience head learn."""

    def __init__(self, model: T5ForHighlighting, settings: LoraSettings) -> None:
        config = LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=list(settings.targets),
            exclude_modules=r"salience\..*",
        )
        self._tuner = LoraModel(model, config, adapter_name="default")
        model.salience.requires_grad_(True)
        self._model = model

    def merge(self) -> None:
        """Add the updates to the weights and leave no adapter behind."""
        self._tuner.merge_and_unload()
        self._model.requires_grad_(True)


def build_model(
    source: ModelSource, tokenizer: PreTrainedTokenizerBase, seed: int
) -> T5ForHighlighting:
    """A T5 in float32, ready to train with this tokenizer.

    Raises:
        CheckpointError: no T5 there, or its vocabulary is smaller than the tokenizer's.
    """
    set_seed(seed)  # a new head and a T5 from scratch start with random weights
    match source:
        case ScratchModel():
            return _from_shape(source, tokenizer)
        case EmbeddedModel():
            return load_model(str(CHECKPOINT), tokenizer=tokenizer)
        case PretrainedModel():
            return load_model(source.name, source.revision, tokenizer)
        case StudentModel():
            teacher = load_model(source.teacher, tokenizer=tokenizer)
            return shrink(teacher, source.encoder_layers, source.decoder_layers)


def _from_shape(source: ScratchModel, tokenizer: PreTrainedTokenizerBase) -> T5ForHighlighting:
    shape: dict[str, Any] = source.model_dump(exclude={"kind", "vocabulary"})
    # A multiple of 128, as T5's own 32128: matrix kernels like it, unused rows cost little.
    vocab_size = -(-len(tokenizer) // 128) * 128
    return T5ForHighlighting(
        T5Config(
            vocab_size=vocab_size,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            decoder_start_token_id=tokenizer.pad_token_id,
            **shape,
        )
    )
