"""A smaller copy of a fine-tuned T5: some of its layers (Shleifer & Rush 2020, "shrink")."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TypeVar

import torch
from transformers import T5ForConditionalGeneration

from highlighter.errors import CheckpointError

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
