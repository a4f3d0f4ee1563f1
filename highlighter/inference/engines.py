"""What writes the summaries: torch, the reference, or CTranslate2, which is faster on a CPU."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import ctranslate2
import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from highlighter.inference.constraints import WordList
from highlighter.inference.generation import Generated, generate_summaries
from highlighter.model.checkpoint import read_engine
from highlighter.model.model import HighlightModel

FOLDER = "ctranslate2"  # in a checkpoint's folder


class CTranslate2Writer:
    """A converted T5. It has no constrained decoding: `words` must be None."""

    def __init__(self, folder: Path, tokenizer: PreTrainedTokenizerBase, threads: int) -> None:
        self._translator = ctranslate2.Translator(
            str(folder), device="cpu", inter_threads=1, intra_threads=threads
        )
        self._tokenizer = tokenizer

    def write(
        self,
        sources: Sequence[list[int]],
        config: GenerationConfig,
        *,
        batch_size: int,
        words: Sequence[WordList] | None = None,
    ) -> list[Generated]:
        """As `generate_summaries`, up to rounding; rows of like length share a batch."""
        if words:
            raise ValueError("CTranslate2 can't hold a summary to its article's words: use torch.")
        tokens = [self._tokenizer.convert_ids_to_tokens(source) for source in sources]
        results = self._translator.translate_batch(
            tokens,
            max_batch_size=batch_size,
            beam_size=config.num_beams,
            length_penalty=config.length_penalty if config.num_beams > 1 else 0.0,
            no_repeat_ngram_size=config.no_repeat_ngram_size or 0,
            min_decoding_length=config.min_new_tokens or 0,
            max_decoding_length=config.max_new_tokens,
            max_input_length=0,
            suppress_sequences=[[self._tokenizer.pad_token]],  # which ends nothing, unlike in torch
        )
        written = [result.hypotheses[0] for result in results]
        # Beam search's own scores are those after tokens were forbidden.
        scores = self._translator.score_batch(
            tokens, written, max_batch_size=batch_size, max_input_length=0
        )
        return [
            self._generated(summary, score.log_probs, config)
            for summary, score in zip(written, scores, strict=True)
        ]

    def _generated(
        self, tokens: list[str], log_probs: list[float], config: GenerationConfig
    ) -> Generated:
        ids: list[int] = self._tokenizer.convert_tokens_to_ids(tokens)
        if len(ids) >= config.max_new_tokens:
            log_probs = log_probs[: len(ids)]  # without the end token, which was not written
        return Generated(ids, math.exp(sum(log_probs) / len(log_probs)) if log_probs else 0.0)


def compute_type(folder: Path) -> str:
    """What a converted model's weights are computed in here."""
    return str(ctranslate2.Translator(str(folder), device="cpu").compute_type)


def convert(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, folder: Path, compute_type: str
) -> None:
    """Write the T5 inside as a CTranslate2 model, its weights quantized.

    The salience head stays with torch: CTranslate2 does not hand out encoder states.
    """
    with tempfile.TemporaryDirectory(prefix="highlighter-convert-") as plain:
        model.seq2seq.save_pretrained(plain)
        tokenizer.save_pretrained(plain)
        converter = ctranslate2.converters.TransformersConverter(plain)
        converter.convert(str(folder), quantization=compute_type)


class Writer(Protocol):
    """Writes summaries of sources of token ids."""

    def write(
        self,
        sources: Sequence[list[int]],
        config: GenerationConfig,
        *,
        batch_size: int,
        words: Sequence[WordList] | None = None,
    ) -> list[Generated]:
        """As `generate_summaries`."""


class TorchWriter:
    """transformers' own generation."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._model = model
        self._tokenizer = tokenizer

    def write(
        self,
        sources: Sequence[list[int]],
        config: GenerationConfig,
        *,
        batch_size: int,
        words: Sequence[WordList] | None = None,
    ) -> list[Generated]:
        """As `generate_summaries`."""
        return generate_summaries(
            self._model, self._tokenizer, sources, config, batch_size=batch_size, words=words
        )


def load_writer(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Writer:
    """The writer that the checkpoint was registered with; on a GPU always torch."""
    if read_engine(folder) == "ctranslate2" and model.device.type == "cpu":
        return CTranslate2Writer(folder / FOLDER, tokenizer, threads=torch.get_num_threads())
    return TorchWriter(model, tokenizer)
