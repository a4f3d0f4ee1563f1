"""Tiny checkpoints with random weights, in the files and layouts of the Hugging Face hub."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import sentencepiece
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForSeq2SeqLM,
    BartConfig,
    ByT5Tokenizer,
    LongT5Config,
    MT5Config,
    PegasusConfig,
    PegasusTokenizer,
    PreTrainedConfig,
    T5Config,
    T5Tokenizer,
    UMT5Config,
)

from tests.conftest import made_up_articles

TEXTS = [row["article"] for row in made_up_articles(64, 0)]
_T5: dict[str, Any] = {
    "vocab_size": 240, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2,
    "decoder_start_token_id": 0, "dropout_rate": 0.0,
}  # fmt: skip
_BART: dict[str, Any] = {
    "d_model": 16, "encoder_layers": 3, "decoder_layers": 2, "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "max_position_embeddings": 128, "dropout": 0.0, "forced_eos_token_id": None,
}  # fmt: skip


def _train_pieces(folder: Path, **options: Any) -> None:
    """Train `spiece.model` of 140 pieces, in the order of T5's."""
    with (folder / "spiece.model").open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(line for text in TEXTS for line in text.splitlines() if line),
            model_writer=file, vocab_size=140, minloglevel=2, num_threads=1,
            pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **options,
        )  # fmt: skip


def _t5_tokenizer(folder: Path) -> None:
    """`spiece.model` alone, as old T5 repositories have it."""
    _train_pieces(folder)


def _mt5_tokenizer(folder: Path) -> None:
    """Without sentinels: mT5 keeps them among its pieces."""
    _train_pieces(folder)
    config = {"extra_ids": 0, "tokenizer_class": "T5Tokenizer", "additional_special_tokens": None}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def _umt5_tokenizer(folder: Path) -> None:
    """A `tokenizer.json` without a class of its own."""
    _train_pieces(folder)
    T5Tokenizer.from_pretrained(folder, extra_ids=0).save_pretrained(folder)
    (folder / "spiece.model").unlink()
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"})
    )


def _byt5_tokenizer(folder: Path) -> None:
    ByT5Tokenizer().save_pretrained(folder)
    (folder / "added_tokens.json").unlink(missing_ok=True)


def _pegasus_tokenizer(folder: Path) -> None:
    _train_pieces(folder, user_defined_symbols=["<n>"])
    PegasusTokenizer.from_pretrained(folder).save_pretrained(folder)


def _bart_tokenizer(folder: Path) -> None:
    """Byte-level BPE in the files of fairseq's models: vocab.json and merges.txt."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    bpe.train_from_iterator(TEXTS, trainer)
    bpe.model.save(str(folder))


class Kind(NamedTuple):
    """A checkpoint: its configuration, its tokenizer, and fields of its config.json on the hub."""

    config: Callable[[], PreTrainedConfig]
    tokenizer: Callable[[Path], None]
    on_hub: dict[str, Any] = {}


_OWN_HEAD = {"tie_word_embeddings": False, "scale_decoder_outputs": None}
KINDS = {
    "t5": Kind(lambda: T5Config(**_T5), _t5_tokenizer, {"scale_decoder_outputs": None}),
    "flan-t5": Kind(
        lambda: T5Config(**_T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
        _t5_tokenizer,
        _OWN_HEAD,
    ),
    "flan-ul2": Kind(
        lambda: T5Config(**_T5, feed_forward_proj="gated-silu", tie_word_embeddings=False),
        _t5_tokenizer,
        _OWN_HEAD,
    ),
    "byt5": Kind(
        lambda: T5Config(
            **_T5 | {"vocab_size": 384, "num_layers": 3}, num_decoder_layers=2,
            feed_forward_proj="gated-gelu", tie_word_embeddings=False,
        ),
        _byt5_tokenizer,
        {"tokenizer_class": "ByT5Tokenizer", **_OWN_HEAD},
    ),
    "mt5": Kind(
        lambda: MT5Config(**_T5 | {"vocab_size": 140}),
        _mt5_tokenizer,
        {"tie_word_embeddings": False},
    ),
    "umt5": Kind(
        lambda: UMT5Config(**_T5 | {"vocab_size": 140}),
        _umt5_tokenizer,
        {"tie_word_embeddings": False},
    ),
    "longt5-local": Kind(
        lambda: LongT5Config(**_T5, local_radius=7, tie_word_embeddings=False),
        _t5_tokenizer,
        _OWN_HEAD,
    ),
    "longt5-tglobal": Kind(
        lambda: LongT5Config(
            **_T5, local_radius=7, global_block_size=4, tie_word_embeddings=False,
            encoder_attention_type="transient-global",
        ),
        _t5_tokenizer,
        _OWN_HEAD,
    ),
    "bart": Kind(
        lambda: BartConfig(**_BART | {"forced_eos_token_id": 2}, vocab_size=401), _bart_tokenizer,
        {
            "forced_bos_token_id": 0, "forced_eos_token_id": 2, "decoder_start_token_id": 2,
            "num_beams": 4, "length_penalty": 2.0, "min_length": 5, "max_length": 12,
            "early_stopping": True, "no_repeat_ngram_size": 3,
            "task_specific_params": {"summarization": {"num_beams": 4}},
        },
    ),
    "pegasus": Kind(
        lambda: PegasusConfig(
            **_BART, vocab_size=243, scale_embedding=True, normalize_before=True,
            activation_function="relu", decoder_start_token_id=0,
        ),
        _pegasus_tokenizer,
    ),
}  # fmt: skip


def write_checkpoint(kind: str, folder: Path, seed: int = 2) -> Path:
    """Write a checkpoint whose logits differ clearly from token to token; return the folder."""
    made = KINDS[kind]
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = AutoModelForSeq2SeqLM.from_config(made.config())
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name and (kind != "pegasus" or "embed_positions" not in name):
                weight.normal_(std=0.3)
        if made.on_hub.get("tie_word_embeddings") is False:
            model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight))
    model.save_pretrained(folder)
    if kind == "bart":  # older files hold the generation's parameters in config.json
        (folder / "generation_config.json").unlink()
    made.tokenizer(folder)
    file = folder / "config.json"
    config = json.loads(file.read_text()) | made.on_hub
    file.write_text(json.dumps({name: v for name, v in config.items() if v is not None}))
    return folder
