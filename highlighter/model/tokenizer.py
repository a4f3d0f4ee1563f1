"""Tokenizers: load one, decode with it, or train one and save it with T5's files."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer
from transformers import (
    AutoTokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    T5Tokenizer,
)

from highlighter.data.hub import model_folder
from highlighter.data.vocabulary import LINE_BREAK
from highlighter.embedded import CHECKPOINT
from highlighter.errors import CheckpointError, first_line
from highlighter.settings import (
    EmbeddedModel,
    GivenVocabulary,
    ModelSource,
    PretrainedModel,
    ScratchModel,
    StudentModel,
    TrainedVocabulary,
)

VOCABULARY_FILE = "spiece.model"
_FILES = (VOCABULARY_FILE, "tokenizer.json", "vocab.json")
SENTINELS = [f"<extra_id_{number}>" for number in range(100)]


def load_tokenizer(name: str, revision: str = "main") -> PreTrainedTokenizerBase:
    """Return the tokenizer of a folder or of a repository of the Hugging Face hub.

    Raises:
        CheckpointError: there is no tokenizer.
        HubError: the hub does not give its files.
    """
    folder = model_folder(name, revision)
    has_vocabulary = any((folder / file).is_file() for file in _FILES) or _is_byt5(folder)
    if not has_vocabulary:
        # T5Tokenizer would make everything an unknown token, without an error.
        raise CheckpointError(f"{name}: it has no {' or '.join(_FILES)}.")
    try:
        if not (folder / "tokenizer_config.json").is_file():
            return _load_by_family(folder)
        return AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{name}: no tokenizer can be loaded ({first_line(error)}). Choose a checkpoint "
            "with its own tokenizer."
        ) from error


def _load_by_family(folder: Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a folder without `tokenizer_config.json`."""
    match _model_type(folder):
        case None | "t5" | "longt5":
            if not _is_byt5(folder):
                return _with_byte_fallback(T5Tokenizer.from_pretrained(folder))
        case "mt5":  # its vocabulary has no sentinels
            return T5Tokenizer.from_pretrained(folder, extra_ids=0)
    return AutoTokenizer.from_pretrained(folder)


def _model_type(folder: Path) -> str | None:
    config = folder / "config.json"
    return (
        json.loads(config.read_text(encoding="utf-8"))["model_type"] if config.is_file() else None
    )


def _is_byt5(folder: Path) -> bool:
    """Return whether the tokenizer is ByT5's, which needs no vocabulary file."""
    files = (folder / "tokenizer_config.json", folder / "config.json")
    return any("ByT5Tokenizer" in file.read_text("utf-8") for file in files if file.is_file())


def decode(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """Return the text of token ids, without special tokens and outer white space."""
    text: str = tokenizer.decode(ids, skip_special_tokens=True)
    return break_lines(text).strip()


def break_lines(text: str) -> str:
    """Return a decoded text with PEGASUS's token for a line break replaced by one."""
    return text.replace(LINE_BREAK, "\n")


def train_tokenizer(texts: Iterable[str], size: int, folder: Path) -> PreTrainedTokenizerBase:
    """Train a unigram SentencePiece vocabulary with the special tokens of T5.

    These are pad 0, end 1, unknown 2 and 100 sentinels. Unseen characters are encoded as bytes, so
    decoding returns any text, except that T5's normalization folds white space.

    Args:
        texts: training texts.
        size: number of pieces, without the sentinels.
        folder: folder to which the tokenizer is saved.

    Raises:
        CheckpointError: the texts have too few different words for `size`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_lines(texts),
            model_writer=vocabulary,
            vocab_size=size,
            model_type="unigram",
            byte_fallback=True,
            character_coverage=0.9995,
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            pad_piece="<pad>",
            eos_piece="</s>",
            unk_piece="<unk>",
            num_threads=1,  # the order of floating-point sums depends on the number of threads
            minloglevel=2,
        )
    except RuntimeError as error:
        raise CheckpointError(
            f"a vocabulary of {size} pieces cannot be trained on the training split "
            f"({first_line(error)}). Lower parameters.model.vocabulary.size or add articles."
        ) from error
    (folder / VOCABULARY_FILE).write_bytes(vocabulary.getvalue())
    tokenizer = _with_byte_fallback(T5Tokenizer.from_pretrained(str(folder)))
    tokenizer.save_pretrained(str(folder))
    return tokenizer


def prepare_tokenizer(
    model: ModelSource, train: Iterable[dict[str, str]], folder: Path
) -> PreTrainedTokenizerBase:
    """Return the model's tokenizer, or train one on the rows of `train`; save it to `folder`."""
    match model:
        case EmbeddedModel():
            tokenizer = load_tokenizer(str(CHECKPOINT))
        case PretrainedModel():
            tokenizer = load_tokenizer(model.name, model.revision)
        case StudentModel(teacher=teacher):
            tokenizer = load_tokenizer(teacher)
        case ScratchModel(vocabulary=GivenVocabulary(path=path)):
            tokenizer = load_tokenizer(path)
        case ScratchModel(vocabulary=TrainedVocabulary(size=size)):
            texts = (row[column] for row in train for column in ("article", "highlights"))
            return train_tokenizer(texts, size, folder)
    tokenizer.save_pretrained(str(folder))
    return tokenizer


def _with_byte_fallback(tokenizer: T5Tokenizer) -> PreTrainedTokenizerBase:
    """Return the tokenizer with byte fallback, if its vocabulary has byte pieces.

    T5Tokenizer switches byte fallback off, whatever `spiece.model` says, each time it is loaded.
    PreTrainedTokenizerFast keeps the setting.
    """
    if "<0x00>" not in tokenizer.get_vocab():
        return tokenizer
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state["model"]["byte_fallback"] = True
    state["decoder"] = {
        "type": "Sequence",
        "decoders": [{"type": "ByteFallback"}, state["decoder"]],
    }
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(state)),
        pad_token=tokenizer.pad_token,
        eos_token=tokenizer.eos_token,
        unk_token=tokenizer.unk_token,
        extra_special_tokens=SENTINELS,
    )


def _lines(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (line for line in text.splitlines() if line.strip())
