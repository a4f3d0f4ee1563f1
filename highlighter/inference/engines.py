"""The engines that generate summaries: torch, the reference, and CTranslate2, faster on a CPU."""

import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import ctranslate2
import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from highlighter.errors import CheckpointError
from highlighter.inference.generation import Generated, generate_summaries, most_ids
from highlighter.inference.interruption import cancellation, interruption_point
from highlighter.inference.word_list import WordList
from highlighter.model.checkpoint import ENGINE_FILE, read_engine
from highlighter.model.families import family_of, scales_outputs
from highlighter.model.model import HighlightModel

FOLDER = "ctranslate2"  # in a checkpoint's folder
# Beams that CTranslate2 computes together: a batch cannot be interrupted. With T5-small's shape and
# 4 beams, batches of 2 summaries take 4 % more CPU time than batches of 8.
_BEAMS_TOGETHER = 8


class Writer(Protocol):
    """Generate summaries from token ids."""

    uses_states: ClassVar[bool]  # whether `states` save it a pass of the encoder

    @property
    def description(self) -> str:
        """Engine, type of the computation, and device."""

    def write(
        self,
        sources: Sequence[list[int]],
        config: GenerationConfig,
        *,
        batch_size: int,
        words: Sequence[WordList] | None = None,
        states: Sequence[torch.Tensor | None] | None = None,
    ) -> list[Generated]:
        """Return what `generate_summaries` returns for these arguments."""


class TorchWriter:
    """Generate summaries with transformers."""

    uses_states: ClassVar[bool] = True

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._model = model
        self._tokenizer = tokenizer

    @property
    def description(self) -> str:
        """Engine, type of the weights, and device."""
        dtype = str(self._model.dtype).removeprefix("torch.")
        return f"torch, {dtype}, {self._model.device.type}"

    def write(
        self,
        sources: Sequence[list[int]],
        config: GenerationConfig,
        *,
        batch_size: int,
        words: Sequence[WordList] | None = None,
        states: Sequence[torch.Tensor | None] | None = None,
    ) -> list[Generated]:
        """Return what `generate_summaries` returns for these arguments."""
        return generate_summaries(
            self._model,
            self._tokenizer,
            sources,
            config,
            batch_size=batch_size,
            words=words,
            states=states,
        )


class CTranslate2Writer:
    """Generate summaries with a converted model, unconstrained: `words` must be None."""

    uses_states: ClassVar[bool] = False

    def __init__(self, folder: Path, tokenizer: PreTrainedTokenizerBase, threads: int) -> None:
        self._translator = ctranslate2.Translator(
            str(folder), device="cpu", inter_threads=1, intra_threads=threads
        )
        self._tokenizer = tokenizer

    @property
    def description(self) -> str:
        """Engine, type of the computation, and device."""
        return f"ctranslate2, {self._translator.compute_type}, cpu"

    def write(
        self,
        sources: Sequence[list[int]],
        config: GenerationConfig,
        *,
        batch_size: int,
        words: Sequence[WordList] | None = None,
        states: Sequence[torch.Tensor | None] | None = None,
    ) -> list[Generated]:
        """Return what `generate_summaries` returns, up to rounding; `states` are not used.

        The computation can be interrupted between batches, which are therefore small, and cancelled
        at every token if decoding is greedy: CTranslate2 has no callback for beam search.
        """
        if words:
            raise ValueError(
                "CTranslate2 cannot restrict a summary to its article's words. Use torch."
            )
        together = max(1, min(batch_size, _BEAMS_TOGETHER // config.num_beams))
        order = sorted(range(len(sources)), key=lambda row: -len(sources[row]))
        outputs = [Generated([], 0.0)] * len(sources)
        for start in range(0, len(order), together):
            interruption_point()
            rows = order[start : start + together]
            for row, output in zip(
                rows, self._write([sources[r] for r in rows], config), strict=True
            ):
                outputs[row] = output
        return outputs

    def _write(self, sources: Sequence[list[int]], config: GenerationConfig) -> list[Generated]:
        tokens = [self._tokenizer.convert_ids_to_tokens(source) for source in sources]
        cancelled = cancellation()
        greedy = config.num_beams == 1
        results = self._translator.translate_batch(
            tokens,
            callback=(lambda _: cancelled()) if cancelled and greedy else None,
            beam_size=config.num_beams,
            length_penalty=config.length_penalty if config.num_beams > 1 else 0.0,
            no_repeat_ngram_size=config.no_repeat_ngram_size or 0,
            min_decoding_length=config.min_new_tokens or 0,
            max_decoding_length=most_ids(config),
            max_input_length=0,
            target_prefix=self._forced_start(config) * len(tokens) or None,
            # In torch a pad token ends a summary, in CTranslate2 it does not.
            suppress_sequences=[[self._tokenizer.pad_token]],
        )
        interruption_point()
        written = [result.hypotheses[0] for result in results]
        # The scores of beam search are taken after tokens were forbidden, so score once more.
        scores = self._translator.score_batch(tokens, written, max_input_length=0)
        return [
            self._generated(summary, score.log_probs, config)
            for summary, score in zip(written, scores, strict=True)
        ]

    def _forced_start(self, config: GenerationConfig) -> list[list[str]]:
        """Return the prefix of a summary, in a list that is empty if there is none."""
        start = config.forced_bos_token_id
        return [] if start is None else [[self._tokenizer.convert_ids_to_tokens(start)]]

    def _generated(
        self, tokens: list[str], log_probs: list[float], config: GenerationConfig
    ) -> Generated:
        ids: list[int] = self._tokenizer.convert_tokens_to_ids(tokens)
        if len(ids) >= most_ids(config):
            log_probs = log_probs[: len(ids)]  # without the end token, which was not generated
        log_probs = log_probs[len(self._forced_start(config)) :]
        return Generated(ids, math.exp(sum(log_probs) / len(log_probs)) if log_probs else 0.0)


def load_writer(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Writer:
    """Return the engine that the checkpoint was registered with; on a GPU always torch."""
    if read_engine(folder) == "ctranslate2" and model.device.type == "cpu":
        return CTranslate2Writer(folder / FOLDER, tokenizer, threads=torch.get_num_threads())
    return TorchWriter(model, tokenizer)


def convert(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, folder: Path, compute_type: str
) -> None:
    """Write the encoder-decoder as a CTranslate2 model with quantized weights.

    The salience head stays with torch, because CTranslate2 does not return encoder states.

    Raises:
        CheckpointError: CTranslate2 does not know the family.
    """
    family = family_of(model.config)
    if not family.ctranslate2:
        raise CheckpointError(f"CTranslate2 cannot run {family.name}. Use the engine torch.")
    with tempfile.TemporaryDirectory(prefix="highlighter-convert-") as plain:
        model.seq2seq.save_pretrained(plain)
        tokenizer.save_pretrained(plain)
        _Converter(plain).convert(str(folder), quantization=compute_type)


class _Converter(ctranslate2.converters.TransformersConverter):
    """A converter that computes what transformers 5 does.

    CTranslate2 4.8.5 reads some of it from fields of older configurations: `tie_word_embeddings`,
    now true for every T5, and the `normalize_` fields, which are gone.
    """

    def load_model(self, model_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
        """Return the model to convert."""
        model = super().load_model(model_class, model_name_or_path, **kwargs)
        model.config.tie_word_embeddings = scales_outputs(model.config)
        model.config.normalize_before = model.config.model_type == "pegasus"
        model.config.normalize_embedding = model.config.model_type == "bart"
        return model


def copy_engine(source: Path, target: Path) -> None:
    """Copy the engine's name and its converted model, if any, between checkpoint folders."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / ENGINE_FILE, target / ENGINE_FILE)
    if (source / FOLDER).is_dir():
        shutil.copytree(source / FOLDER, target / FOLDER)
