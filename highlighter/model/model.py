"""An encoder-decoder that writes the summary, with a salience head that scores its sentences."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import AutoModelForSeq2SeqLM, PreTrainedModel, PreTrainedTokenizerBase
from transformers.modeling_outputs import BaseModelOutput

from highlighter.data.collator import IGNORED
from highlighter.data.hub import model_folder
from highlighter.errors import CheckpointError, first_line
from highlighter.model.families import family_of, layers_of, read_config
from highlighter.model.salience import SalienceHead, load_salience, save_salience


class HighlightOutput(NamedTuple):
    """Losses of a training batch.

    `summary_loss` is the mean cross-entropy per token, `salience_loss` the mean per segment and
    member of the head; a loss without labels is 0. `logits` (rows, tokens, vocabulary) belong to
    the rows with a summary and are None if there is none.
    """

    summary_loss: torch.Tensor
    salience_loss: torch.Tensor
    logits: torch.Tensor | None


class HighlightModel(nn.Module):
    """An encoder-decoder of transformers, and a salience head over its encoder states.

    Generate summaries with `model.seq2seq.generate`.
    """

    def __init__(self, seq2seq: PreTrainedModel, salience: SalienceHead | None = None) -> None:
        super().__init__()
        self.seq2seq = seq2seq
        width: int = seq2seq.get_encoder().config.hidden_size
        self.salience = SalienceHead(width) if salience is None else salience
        # safetensors stores no tensor twice, so a state dict holds tied weights once.
        self.register_state_dict_post_hook(_drop_tied_weights)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]
            _accept_without_tied_weights
        )

    @property
    def encoder(self) -> PreTrainedModel:
        """The encoder."""
        return self.seq2seq.get_encoder()

    @property
    def config(self):  # type: ignore[no-untyped-def]  # transformers is untyped here
        """Configuration of the encoder-decoder."""
        return self.seq2seq.config

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        device: torch.device = self.seq2seq.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """Data type of the weights."""
        dtype: torch.dtype = self.seq2seq.dtype
        return dtype

    @property
    def layers(self) -> tuple[int, int]:
        """Numbers of encoder and decoder layers."""
        return len(layers_of(self.encoder)), len(layers_of(self.seq2seq.get_decoder()))

    def num_parameters(self) -> int:
        """Return the number of weights; tied weights count once."""
        return sum(weight.numel() for weight in self.parameters())

    def forward(
        self,
        *,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor,
        summary_rows: torch.Tensor,
        segment_of_token: torch.Tensor,
        segment_indices: torch.Tensor,
        segment_features: torch.Tensor,
        salience_labels: torch.Tensor,
    ) -> HighlightOutput:
        """Return both losses of a batch of `WindowCollator`, from one pass of the encoder.

        Rows that are not among `summary_rows` are read for salience only and skip the decoder.
        Segments with the salience label -100 count in no loss. No value of a tensor is read here,
        because that would wait for the GPU.

        Args:
            input_ids: (batch, source tokens).
            attention_mask: (batch, source tokens).
            labels: (rows with a summary, target tokens).
            summary_rows: index in the batch of each row with a summary.
            segment_of_token: see `score_segments`.
            segment_indices: see `score_segments`.
            segment_features: see `score_segments`.
            salience_labels: 1 for a salient segment, 0 or -100, (batch, segments).
        """
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        pooled = self.pool_segments(states, segment_of_token, segment_indices.shape[1])
        # Members that are trained separately make a better mean: if the mean were trained, those
        # with states would make up for the others on the training articles only.
        scores = self.salience.member_logits(pooled, segment_indices, segment_features).float()
        labeled = (salience_labels != IGNORED).float()
        losses = nn.functional.binary_cross_entropy_with_logits(
            scores,
            salience_labels.float().unsqueeze(-1).expand_as(scores),
            weight=labeled.unsqueeze(-1),
            reduction="sum",
        )
        salience_loss = losses / (scores.shape[-1] * labeled.sum().clamp(min=1))
        if not len(summary_rows):
            return HighlightOutput(scores.new_zeros(()), salience_loss, None)
        output = self.seq2seq(
            encoder_outputs=BaseModelOutput(last_hidden_state=states[summary_rows]),
            attention_mask=attention_mask[summary_rows],
            labels=labels,
        )
        return HighlightOutput(output.loss, salience_loss, output.logits)

    def score_segments(
        self,
        states: torch.Tensor,
        segment_of_token: torch.Tensor,
        segment_indices: torch.Tensor,
        segment_features: torch.Tensor,
    ) -> torch.Tensor:
        """Return salience logits, (batch, segments).

        Args:
            states: encoder states, (batch, tokens, width).
            segment_of_token: number of each token's segment in its row, from 0, or -1 for a token
                outside all segments, (batch, tokens).
            segment_indices: index of each segment in its article, (batch, segments).
            segment_features: rows of `describe_segments`, (batch, segments, len(FEATURES)).
        """
        pooled = self.pool_segments(states, segment_of_token, segment_indices.shape[1])
        logits: torch.Tensor = self.salience(pooled, segment_indices, segment_features)
        return logits

    @staticmethod
    def pool_segments(
        states: torch.Tensor, segment_of_token: torch.Tensor, segments: int
    ) -> torch.Tensor:
        """Return the mean state of each segment, (batch, segments, width); 0 if it has no tokens.

        Args:
            states: encoder states, (batch, tokens, width).
            segment_of_token: see `score_segments`.
            segments: largest number of segments in a row.
        """
        rows = len(states)
        # Tokens outside all segments are summed into an extra bin, which is dropped.
        bins = torch.where(segment_of_token < 0, segments, segment_of_token)
        sums = states.new_zeros(rows, segments + 1, states.shape[-1], dtype=torch.float32)
        sums.scatter_add_(1, bins.unsqueeze(-1).expand_as(states), states.float())
        counts = sums.new_zeros(rows, segments + 1).scatter_add_(
            1, bins, torch.ones_like(bins).float()
        )
        pooled = sums[:, :-1] / counts[:, :-1].clamp(min=1).unsqueeze(-1)
        return pooled.to(states.dtype)

    def save(self, folder: Path) -> None:
        """Write the encoder-decoder's own files, and those of the salience head beside them."""
        self.seq2seq.save_pretrained(folder)
        save_salience(self.salience, folder)


def load_model(
    name: str, revision: str = "main", tokenizer: PreTrainedTokenizerBase | None = None
) -> HighlightModel:
    """Return a checkpoint as a float32 model in evaluation mode.

    A checkpoint without a salience head gets a new one with random weights.

    Args:
        name: folder, or repository of the Hugging Face hub.
        revision: commit, branch or tag of the repository.
        tokenizer: tokenizer whose size the model's vocabulary must cover.

    Raises:
        CheckpointError: there is no model of a supported family, its weights are incomplete, its
            salience head is one of another version of this project, or its vocabulary is smaller
            than the tokenizer's.
        HubError: the hub does not give its files.
    """
    config = read_config(name, revision)
    folder = model_folder(name, revision)
    try:
        seq2seq, report = AutoModelForSeq2SeqLM.from_pretrained(
            folder,
            dtype=torch.float32,
            weights_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # the report names them
        )
        _check_weights(name, report, family_of(config).computed)
        salience = load_salience(folder)
    except UnpicklingError as error:
        raise CheckpointError(
            f"{name}: its pickled weights hold more than tensors, which may be code and is not "
            "executed. Choose a checkpoint with model.safetensors, or load this one with "
            "transformers where you trust it and save it again."
        ) from error
    except (OSError, ValueError) as error:
        place = "this folder" if Path(name).is_dir() else "the hub"
        raise CheckpointError(
            f"{name}: no model can be loaded from {place} ({first_line(error)})."
        ) from error
    if tokenizer is not None and len(tokenizer) > config.vocab_size:
        raise CheckpointError(
            f"{name}: the tokenizer has {len(tokenizer)} tokens, the model {config.vocab_size}. "
            "Use the tokenizer and the model of one checkpoint."
        )
    return HighlightModel(seq2seq, salience).eval()


def _check_weights(name: str, report: dict[str, Any], computed: tuple[str, ...]) -> None:
    """Raise CheckpointError unless the file holds the weights of this model and no others.

    Args:
        name: the checkpoint, for the message.
        report: what transformers reports of the loading.
        computed: ends of the names of weights that may be missing.
    """
    unexpected = sorted(report["unexpected_keys"])
    missing = sorted(key for key in report["missing_keys"] if not key.endswith(computed))
    mismatched = sorted(key for key, *_ in report["mismatched_keys"])
    if any(key.startswith("salience.") for key in unexpected):
        raise CheckpointError(
            f"{name}: written by an earlier version of this project, with the salience head inside "
            "model.safetensors. Train and register it again: `python run_pipeline.py`."
        )
    if missing or unexpected or mismatched:
        example = [*missing, *unexpected, *mismatched][0]
        raise CheckpointError(
            f"{name}: {len(missing)} weights are missing, {len(unexpected)} are unknown and "
            f"{len(mismatched)} have another shape than config.json says; the first is {example}. "
            "Use a complete checkpoint with its own config.json."
        )


def _tied_weights(model: nn.Module) -> set[str]:
    """Return the names of weights that are other weights under a second name."""
    names = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    return names - {name for name, _ in model.named_parameters()}


def _drop_tied_weights(
    model: nn.Module, weights: dict[str, torch.Tensor], prefix: str, metadata: Any
) -> None:
    for name in _tied_weights(model):
        del weights[prefix + name]


def _accept_without_tied_weights(model: nn.Module, keys: Any) -> None:
    tied = _tied_weights(model)
    keys.missing_keys[:] = [name for name in keys.missing_keys if name not in tied]
