"""T5 with a salience head: it writes the summary and says which sentences matter."""

from functools import wraps
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase, T5Config, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

from highlighter.data.collator import IGNORED
from highlighter.data.sentence_features import FEATURES
from highlighter.errors import CheckpointError, first_line

POSITIONS = 32
_HIDDEN = 64
_DROPOUT = 0.1


class SalienceHead(nn.Module):
    """One logit a segment, from its pooled encoder states, its index and its features.

    T5 knows only relative positions, so the index comes in as an embedding. The projection of the
    states starts at zero: before the encoder has learned anything, place and words decide.
    """

    def __init__(self, d_model: int, dropout: float, state_dropout: float = 0.0) -> None:
        """`state_dropout`, of the states alone: where the encoder knows its texts by heart."""
        super().__init__()
        self.states = nn.Linear(d_model, _HIDDEN)
        self.features = nn.Linear(len(FEATURES), _HIDDEN)
        self.positions = nn.Embedding(POSITIONS, _HIDDEN)
        self.output = nn.Linear(_HIDDEN, 1)
        self.dropout = nn.Dropout(dropout)
        self.state_dropout = nn.Dropout(state_dropout)

    @torch.no_grad()
    def initialize(self, part: nn.Module) -> None:
        """Initialize one part; the output starts near the usual share of salient segments."""
        spread = {self.states: 0.0, self.features: 0.3, self.positions: 0.05, self.output: 0.1}
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.normal_(part.weight, std=spread[part])
        if isinstance(part, nn.Linear):
            nn.init.constant_(part.bias, -2.0 if part is self.output else 0.0)

    def forward(
        self, states: torch.Tensor, indices: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor:
        """Logits of shape (batch, segments).

        Args:
            states: mean encoder state of each segment, (batch, segments, d_model).
            indices: the segment's index in the whole article, (batch, segments).
            features: `describe_segments`' rows, (batch, segments, len(FEATURES)).
        """
        # The scale of T5's states depends on its checkpoint; the head's should not.
        states = self.state_dropout(nn.functional.rms_norm(states, states.shape[-1:]))
        hidden = self.states(states) + self.features(features)
        hidden = hidden + self.positions(indices.clamp(max=POSITIONS - 1))
        logits: torch.Tensor = self.output(self.dropout(nn.functional.gelu(hidden)))
        return logits.squeeze(-1)


class T5ForHighlighting(T5ForConditionalGeneration):
    """T5 whose encoder also feeds a salience head; a plain T5 checkpoint loads into it.

    Saved by `save_pretrained` as safetensors in T5's own layout, with the head's weights under
    `salience`; transformers' own T5 class reads the rest.
    """

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.salience = SalienceHead(
            config.d_model, dropout=getattr(config, "salience_dropout", _DROPOUT)
        )
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        head = getattr(self, "salience", None)  # not yet, while T5 itself is built
        if head is not None and module in set(head.modules()):
            head.initialize(module)
        else:
            super()._init_weights(module)

    @wraps(T5ForConditionalGeneration.forward)  # generation reads the signature
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """T5's own pass; given segments, `losses`, so that wrappers of a model see it too."""
        if "segment_of_token" in kwargs:
            return self.losses(**kwargs)
        return super().forward(*args, **kwargs)

    def score_segments(
        self,
        states: torch.Tensor,
        segment_of_token: torch.Tensor,
        segment_indices: torch.Tensor,
        segment_features: torch.Tensor,
    ) -> torch.Tensor:
        """Salience logits (batch, segments) from encoder states (batch, tokens, d_model).

        `segment_of_token` (batch, tokens) numbers each row's segments from 0; -1 is no segment.
        """
        pooled = self.pool_segments(states, segment_of_token, segment_indices.shape[1])
        return self.salience(pooled, segment_indices, segment_features)  # type: ignore[no-any-return]

    @staticmethod
    def pool_segments(
        states: torch.Tensor, segment_of_token: torch.Tensor, segments: int
    ) -> torch.Tensor:
        """Mean encoder state per segment, (batch, segments, d_model); 0 for one without tokens."""
        rows = len(states)
        # One more bin takes the tokens of no segment; it is cut off below.
        bins = torch.where(segment_of_token < 0, segments, segment_of_token)
        sums = states.new_zeros(rows, segments + 1, states.shape[-1], dtype=torch.float32)
        sums.scatter_add_(1, bins.unsqueeze(-1).expand_as(states), states.float())
        counts = sums.new_zeros(rows, segments + 1).scatter_add_(
            1, bins, torch.ones_like(bins).float()
        )
        pooled = sums[:, :-1] / counts[:, :-1].clamp(min=1).unsqueeze(-1)
        return pooled.to(states.dtype)

    def losses(
        self,
        *,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor,
        segment_of_token: torch.Tensor,
        segment_indices: torch.Tensor,
        segment_features: torch.Tensor,
        salience_labels: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, Seq2SeqLMOutput | None]:
        """The summary's cross-entropy a token and the salience's a segment, from one encoder pass.

        Rows whose `labels` are all -100 are read for salience only and never reach the decoder;
        segments labelled -100 are read for the summary only. A loss without labels is 0.
        """
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits = self.score_segments(
            states, segment_of_token, segment_indices, segment_features
        ).float()
        known = salience_labels != IGNORED
        salience_loss = logits.new_zeros(())
        if known.any():
            salience_loss = nn.functional.binary_cross_entropy_with_logits(
                logits[known], salience_labels[known].float()
            )
        written = (labels != IGNORED).any(dim=1)
        if not written.any():
            return logits.new_zeros(()), salience_loss, None
        # Not through self(): a wrapper that holds mixed precision can't be entered twice, and would
        # leave it on for all that comes after.
        output: Seq2SeqLMOutput = super().forward(
            encoder_outputs=BaseModelOutput(last_hidden_state=states[written]),
            attention_mask=attention_mask[written],
            labels=labels[written],
        )
        return output.loss, salience_loss, output

    def plain_t5(self) -> T5ForConditionalGeneration:
        """The T5 inside, sharing its weights, for `save_pretrained` as a plain T5."""
        plain = T5ForConditionalGeneration(self.config)
        inside = {k: v for k, v in self.state_dict().items() if not k.startswith("salience.")}
        plain.load_state_dict(inside, assign=True)
        plain.tie_weights()
        return plain


def load_model(
    name: str, revision: str = "main", tokenizer: PreTrainedTokenizerBase | None = None
) -> T5ForHighlighting:
    """A T5 of the hub or of a folder, in float32 whatever the checkpoint's precision.

    A checkpoint without a salience head gets a new one.
    """
    try:
        model: T5ForHighlighting = T5ForHighlighting.from_pretrained(
            name, revision=revision, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        where = "this folder" if Path(name).is_dir() else "the hub"
        raise CheckpointError(
            f"{name}: no T5 can be loaded from {where} ({first_line(error)})."
        ) from error
    if tokenizer is not None and len(tokenizer) > model.config.vocab_size:
        raise CheckpointError(
            f"{name}: the tokenizer knows {len(tokenizer)} tokens, the model "
            f"{model.config.vocab_size}. Are they of one checkpoint?"
        )
    return model
