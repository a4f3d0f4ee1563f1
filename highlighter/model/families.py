"""Families of encoder-decoders: which are supported, and what differs between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES

from highlighter.data.hub import config_folder
from highlighter.errors import CheckpointError, first_line
from highlighter.settings import Matrix, TextSettings

_T5_MATRICES: Mapping[Matrix, str] = {
    "q": "q", "k": "k", "v": "v", "o": "o", "wi": "wi", "wi_0": "wi_0", "wi_1": "wi_1", "wo": "wo",
}  # fmt: skip
_BART_MATRICES: Mapping[Matrix, str] = {
    "q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "out_proj", "wi": "fc1", "wo": "fc2",
}  # fmt: skip


@dataclass(frozen=True)
class Family:
    """What differs between families; see `docs/models.md`.

    Attributes:
        name: its name in messages.
        matrices: the names of its weight matrices, by their names in the LoRA settings.
        prefix: the task prefix that its checkpoints were trained with.
        ctranslate2: whether CTranslate2 can run it.
        layers: the fields of its configuration with the numbers of encoder and decoder layers.
        positions: the field with the number of positions; None: positions are relative.
        computed: the end of the names of weights that transformers computes if a file lacks them.
    """

    name: str
    matrices: Mapping[Matrix, str]
    prefix: str = ""
    ctranslate2: bool = True
    layers: tuple[str, str] = ("num_layers", "num_decoder_layers")
    positions: str | None = None
    computed: tuple[str, ...] = ()


_BART_LAYERS = ("encoder_layers", "decoder_layers")
_POSITIONS = "max_position_embeddings"
FAMILIES: Mapping[str, Family] = {  # by `model_type` in config.json
    "t5": Family("T5", _T5_MATRICES, prefix="summarize: "),
    "mt5": Family("mT5", _T5_MATRICES),
    "umt5": Family("umT5", _T5_MATRICES),
    "longt5": Family("LongT5", _T5_MATRICES, ctranslate2=False),
    "bart": Family("BART", _BART_MATRICES, layers=_BART_LAYERS, positions=_POSITIONS),
    "pegasus": Family(
        "PEGASUS",
        _BART_MATRICES,
        layers=_BART_LAYERS,
        positions=_POSITIONS,
        computed=("embed_positions.weight",),  # sine waves
    ),
}
_INSTEAD = {
    "bigbird_pegasus": "LongT5 (google/long-t5-tglobal-base) for long articles",
    "led": "LongT5 (google/long-t5-tglobal-base) for long articles",
    "mbart": "mT5 (google/mt5-base) for other languages",
    "pegasus_x": "LongT5 (google/long-t5-tglobal-base) for long articles",
    "switch_transformers": "FLAN-T5 (google/flan-t5-base)",
    "t5gemma": "FLAN-T5 (google/flan-t5-base)",
    "t5gemma2": "FLAN-T5 (google/flan-t5-base)",
}


def read_config(name: str, revision: str = "main") -> PreTrainedConfig:
    """Return the configuration of a checkpoint of a supported family.

    Args:
        name: folder, or repository of the Hugging Face hub.
        revision: commit, branch or tag of the repository.

    Raises:
        CheckpointError: there is no configuration, or the family is not supported.
        HubError: the hub gives none.
    """
    folder = config_folder(name, revision)
    try:
        config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError) as error:
        place = "this folder" if Path(name).is_dir() else "the hub"
        raise CheckpointError(
            f"{name}: no model can be loaded from {place} ({first_line(error)})."
        ) from error
    kind = config.model_type
    if kind not in FAMILIES:
        writes = kind in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
        raise CheckpointError(
            f"{name}: its config.json has model_type {kind!r}"
            f"{'' if writes else ', which is no encoder-decoder for text'}; only "
            f"{', '.join(FAMILIES)} are supported. Use for example "
            f"{_INSTEAD.get(kind, 'T5 (google-t5/t5-base) or BART (facebook/bart-base)')}."
        )
    return config


def family_of(config: PreTrainedConfig) -> Family:
    """Return the family of a configuration that `read_config` accepts."""
    return FAMILIES[config.model_type]


def fit_text(text: TextSettings, config: PreTrainedConfig) -> TextSettings:
    """Return the settings, with the family's own prefix if they name none.

    Raises:
        CheckpointError: the model has too few positions for the source or the target.
    """
    check_positions(config, "text.max_source_tokens", text.max_source_tokens)
    check_positions(config, "text.max_target_tokens", text.max_target_tokens)
    if text.prefix is not None:
        return text
    return text.model_copy(update={"prefix": family_of(config).prefix})


def check_positions(config: PreTrainedConfig, setting: str, tokens: int) -> None:
    """Raise CheckpointError if a setting asks for more tokens than the model has positions."""
    family = family_of(config)
    limit = None if family.positions is None else getattr(config, family.positions)
    if limit is not None and tokens > limit:
        raise CheckpointError(
            f"this {family.name} has {limit} positions, but {setting} is {tokens}. Set it to at "
            f"most {limit}."
        )


def layers_of(stack: PreTrainedModel) -> nn.ModuleList:
    """Return the layers of an encoder or decoder."""
    layers: nn.ModuleList = stack.block if hasattr(stack, "block") else stack.layers
    return layers


def scales_outputs(config: PreTrainedConfig) -> bool:
    """Return whether transformers divides the decoder's last state by the root of its width.

    The original T5 does, because its embeddings are its output layer too.
    """
    # T5 and LongT5 keep what the file says of `tie_word_embeddings` under another name. mT5 never
    # scales. umT5 always does in transformers 5.23.
    scales: bool = getattr(config, "scale_decoder_outputs", config.model_type == "umt5")
    return scales
