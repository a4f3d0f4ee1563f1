"""The tokens of any tokenizer as texts with log-probabilities, in the form of SentencePiece."""

import json
import math
from typing import Any, NamedTuple

from transformers import PreTrainedTokenizerBase

WORD_START = "▁"
LINE_BREAK = "<n>"  # PEGASUS writes it between sentences


class Token(NamedTuple):
    """A token: `▁` for white space before it, `<0xNN>` for a byte that is no character.

    The log-probability is 0 for special tokens, and for bytes, which are not words.
    """

    text: str
    log_probability: float


def read_vocabulary(tokenizer: PreTrainedTokenizerBase) -> list[Token]:
    """Return every token, by id.

    Only unigram vocabularies store probabilities. Those of byte-pair encoding are ordered by
    frequency, so that Zipf's law gives an estimate.
    """
    names: Any = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    backend = getattr(tokenizer, "backend_tokenizer", None)
    model: Any = {"type": None} if backend is None else json.loads(backend.to_str())["model"]
    scores = [0.0] * len(names)
    if model["type"] == "Unigram":
        scores[: len(model["vocab"])] = [score for _, score in model["vocab"]]
        texts = [WORD_START if name == LINE_BREAK else name for name in names]
    elif model["type"] == "BPE":
        total = math.log(len(names)) + 0.577  # of 1 / rank
        scores = [-math.log(rank * total) for rank in range(1, len(names) + 1)]
        texts = [_text_of(name, _GPT2_BYTES) for name in names]
    else:  # ByT5
        texts = [_text_of(name, _LATIN1_BYTES) for name in names]
    special = set(tokenizer.all_special_ids)
    return [
        Token(name, 0.0) if number in special else Token(text, score)
        for number, (name, text, score) in enumerate(zip(names, texts, scores, strict=True))
    ]


def _text_of(name: str, byte_of: dict[str, int]) -> str:
    """Return the text of a token whose name has one character per byte."""
    if not all(character in byte_of for character in name):
        return name
    code = bytes(byte_of[character] for character in name)
    try:
        text = code.decode()
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in code)
    return WORD_START + text[1:] if text[:1].isspace() else text


def _gpt2_bytes() -> dict[str, int]:
    """Return the bytes that the characters of byte-pair tokens (GPT-2, BART) stand for."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(256 + number): byte for number, byte in enumerate(others)
    }


_GPT2_BYTES = _gpt2_bytes()
_LATIN1_BYTES = {chr(byte): byte for byte in range(256)}
