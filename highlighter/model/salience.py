"""The salience head: it scores the sentences of an article from their encoder states."""

import logging
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from highlighter.data.sentence_features import FEATURES
from highlighter.errors import CheckpointError
from highlighter.settings import Settings

WEIGHTS_FILE = "salience.safetensors"
CONFIG_FILE = "salience.json"

logger = logging.getLogger(__name__)


class SalienceConfig(Settings):
    """Shape of a salience head, stored beside its weights."""

    members: int = 4
    feature_members: int = 8
    hidden_size: int = 64
    positions: int = 32
    dropout: float = 0.3
    features: tuple[str, ...] = FEATURES


class SalienceHead(nn.Module):
    """Scores each segment from its index, its features and its mean encoder state.

    It is the mean of small networks: `members` of them see all three, the `feature_members` after
    them see no states, so that articles unlike those of the training are ranked well too. The
    projection of the states starts at zero: an untrained head uses index and features only, which
    suffice to rank sentences. What the states add is learned from there, at the encoder's learning
    rate. T5 encodes relative positions only, so the index is added as an embedding.
    """

    def __init__(
        self,
        width: int,
        config: SalienceConfig = SalienceConfig(),  # noqa: B008 -- frozen
        state_dropout: float = 0.0,
    ) -> None:
        """Initialize with random weights.

        Args:
            width: size of an encoder state.
            config: shape and dropout.
            state_dropout: dropout rate of the encoder states only; for an encoder that has
                memorized the training articles.
        """
        super().__init__()
        self.config = config
        members = config.members + config.feature_members
        size = members * config.hidden_size
        self.states = nn.Linear(width, config.members * config.hidden_size, bias=False)
        self.features = nn.Linear(len(config.features), size)
        self.positions = nn.Embedding(config.positions, size)
        self.hidden = MemberLinear(members, config.hidden_size, config.hidden_size)
        self.output = MemberLinear(members, config.hidden_size, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.state_dropout = nn.Dropout(state_dropout)
        self._reset_parameters()

    @torch.no_grad()
    def _reset_parameters(self) -> None:
        nn.init.zeros_(self.states.weight)
        nn.init.normal_(self.features.weight, std=0.3)
        nn.init.normal_(self.positions.weight, std=0.05)
        nn.init.normal_(self.hidden.weight, std=self.config.hidden_size**-0.5)
        nn.init.normal_(self.output.weight, std=0.1)
        nn.init.zeros_(self.features.bias)
        nn.init.constant_(self.output.bias, -2.0)  # about one segment in eight is salient

    def forward(
        self, states: torch.Tensor, indices: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor:
        """Return logits of shape (batch, segments): the mean of `member_logits`."""
        return self.member_logits(states, indices, features).mean(dim=-1)

    def member_logits(
        self, states: torch.Tensor, indices: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor:
        """Return the logits of each member, (batch, segments, members + feature_members).

        Args:
            states: mean encoder state of each segment, (batch, segments, width).
            indices: index of each segment in its article, (batch, segments).
            features: rows of `describe_segments`, (batch, segments, len(FEATURES)).
        """
        # The scale of the states differs between checkpoints.
        states = self.state_dropout(nn.functional.rms_norm(states, states.shape[-1:]))
        hidden = self.features(features)
        hidden = hidden + self.positions(indices.clamp(max=self.config.positions - 1))
        projected = self.states(states)
        without = hidden.shape[-1] - projected.shape[-1]  # of the members without states
        hidden = hidden + nn.functional.pad(projected, (0, without))
        shape = (*hidden.shape[:-1], -1, self.config.hidden_size)
        hidden = nn.functional.gelu(hidden).reshape(shape)
        hidden = nn.functional.gelu(self.hidden(self.dropout(hidden)))
        logits: torch.Tensor = self.output(self.dropout(hidden))
        return logits.squeeze(-1)


class MemberLinear(nn.Module):
    """A linear layer per member of an ensemble, from (..., members, inputs)."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(members, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(members, outputs))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Apply each member's layer to its own values."""
        return torch.einsum("...mi,mio->...mo", values, self.weight) + self.bias


def save_salience(head: SalienceHead, folder: Path) -> None:
    """Write the weights and the configuration of a head to a checkpoint folder."""
    save_file(head.state_dict(), folder / WEIGHTS_FILE)
    config = head.config.model_dump_json(indent=2) + "\n"
    (folder / CONFIG_FILE).write_text(config, encoding="utf-8")


def load_salience(folder: Path) -> SalienceHead | None:
    """Return the salience head of a checkpoint folder, or None if it has none.

    Raises:
        CheckpointError: the head has other features or another shape, or its file is incomplete.
    """
    if not (folder / WEIGHTS_FILE).is_file():
        logger.info("%s has no salience head; a new one is initialized", folder)
        return None
    try:
        config = SalienceConfig.model_validate_json((folder / CONFIG_FILE).read_text("utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        problem = ": ".join([*map(str, first["loc"]), first["msg"]])
        raise CheckpointError(f"{folder}/{CONFIG_FILE}: {problem}. Train it again.") from error
    if config.features != FEATURES:
        raise CheckpointError(
            f"{folder}/{CONFIG_FILE}: the salience head uses the features "
            f"{', '.join(config.features)}, this version of the project computes "
            f"{', '.join(FEATURES)}. Train it again."
        )
    try:
        weights = load_file(folder / WEIGHTS_FILE)
        head = SalienceHead(weights["states.weight"].shape[1], config)
        head.load_state_dict(weights)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{folder}/{WEIGHTS_FILE}: incomplete, or of another shape than {CONFIG_FILE} says. "
            "Train it again."
        ) from error
    return head
