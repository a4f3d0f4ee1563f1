"""Build the model that a run fine-tunes: pretrained, from scratch, a student, or with LoRA."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from peft import LoraConfig, LoraModel
from transformers import PreTrainedTokenizerBase, T5Config, T5ForConditionalGeneration, set_seed

from highlighter.embedded import CHECKPOINT
from highlighter.errors import CheckpointError
from highlighter.model.families import family_of, layers_of
from highlighter.model.model import HighlightModel, load_model
from highlighter.settings import (
    EmbeddedModel,
    LoraSettings,
    Matrix,
    ModelSource,
    PretrainedModel,
    ScratchModel,
    StudentModel,
)


def build_model(
    source: ModelSource, tokenizer: PreTrainedTokenizerBase, seed: int
) -> HighlightModel:
    """Return a float32 model, ready to train with this tokenizer.

    Args:
        source: `parameters.model` of the configuration.
        tokenizer: tokenizer of the training data.
        seed: seed of the random initial weights.

    Raises:
        CheckpointError: the checkpoint cannot be loaded, its vocabulary is smaller than the
            tokenizer's, or a teacher has fewer layers than its student.
    """
    set_seed(seed)
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


def _from_shape(source: ScratchModel, tokenizer: PreTrainedTokenizerBase) -> HighlightModel:
    shape: dict[str, Any] = source.model_dump(exclude={"kind", "vocabulary"})
    # Matrix kernels are fastest with multiples of 128; T5's own vocabulary has 32128 rows.
    vocab_size = -(-len(tokenizer) // 128) * 128
    return HighlightModel(
        T5ForConditionalGeneration(
            T5Config(
                vocab_size=vocab_size,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=tokenizer.eos_token_id,
                decoder_start_token_id=tokenizer.pad_token_id,
                **shape,
            )
        )
    )


def shrink(teacher: HighlightModel, encoder_layers: int, decoder_layers: int) -> HighlightModel:
    """Return a copy with fewer layers (Shleifer and Rush 2020, arXiv:2010.13002).

    The layers kept are evenly spaced and include the first, which holds the position biases of a
    T5's stack. All weights of the student are copies of the teacher's.

    Raises:
        CheckpointError: the teacher has fewer layers.
    """
    student = deepcopy(teacher)
    config = student.config
    encoder_field, decoder_field = family_of(config).layers
    for stack, layers, name in (
        (student.encoder, encoder_layers, "encoder"),
        (student.seq2seq.get_decoder(), decoder_layers, "decoder"),
    ):
        _keep_layers(stack, layers, name)
        if stack.config is not config:  # T5's stacks have configurations of their own
            stack.config.num_layers = layers
    setattr(config, encoder_field, encoder_layers)
    setattr(config, decoder_field, decoder_layers)
    return student


def _keep_layers(stack: Any, layers: int, name: str) -> None:
    all_layers = layers_of(stack)
    kept = [all_layers[layer] for layer in kept_layers(len(all_layers), layers, name)]
    del all_layers[:]
    all_layers.extend(kept)
    for number, layer in enumerate(kept):
        part: Any
        for part in layer.modules():
            if hasattr(part, "layer_idx"):  # index into the cache of keys and values
                part.layer_idx = number


def kept_layers(teacher: int, student: int, stack: str) -> list[int]:
    """Return the layers of a teacher that a student keeps: evenly spaced, first and last included.

    Args:
        teacher: number of layers of the teacher.
        student: number of layers of the student.
        stack: "encoder" or "decoder", for the error message.

    Raises:
        CheckpointError: the teacher has fewer layers.
    """
    if student > teacher:
        raise CheckpointError(
            f"a student with {student} {stack} layers cannot be built from a teacher with "
            f"{teacher}. Lower parameters.model.{stack}_layers."
        )
    if student == 1:
        return [0]
    return [round(place * (teacher - 1) / (student - 1)) for place in range(student)]


class LowRankUpdates:
    """LoRA adapters (Hu et al. 2021, arXiv:2106.09685) inside the encoder-decoder of a model.

    Until they are merged, only the adapters and the salience head are trained.
    """

    def __init__(self, model: HighlightModel, settings: LoraSettings) -> None:
        """Add adapters, which change nothing until they are trained.

        Raises:
            CheckpointError: the model has no matrix of a configured name.
        """
        config = LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=_matrices(model, settings.targets),
        )
        self._tuner = LoraModel(model.seq2seq, config, adapter_name="default")
        self._model = model

    def merge(self) -> None:
        """Add the updates to the weights and remove the adapters."""
        config = self._model.config
        tied = config.tie_word_embeddings
        self._tuner.merge_and_unload()
        # peft changes it where the output layer has weights of its own. umT5 would then compute
        # other outputs.
        config.tie_word_embeddings = tied
        self._model.requires_grad_(True)


def _matrices(model: HighlightModel, targets: Sequence[Matrix]) -> list[str]:
    family = family_of(model.config)
    found = {name.rsplit(".", maxsplit=1)[-1] for name, _ in model.seq2seq.named_modules()}
    known = {target: name for target, name in family.matrices.items() if name in found}
    for target in targets:
        if target not in known:
            raise CheckpointError(
                f"this {family.name} has no weight matrix {target!r}. Choose lora.targets among "
                f"{', '.join(known)}."
            )
    return [known[target] for target in targets]
