"""T5 tokenizers: load one, or train one and save it in T5's own layout."""

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer
from transformers import (
    AutoTokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    T5Tokenizer,
)

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
SENTINELS = [f"<extra_id_{number}>" for number in range(100)]


def load_tokenizer(name: str, revision: str = "main") -> PreTrainedTokenizerBase:
    """The tokenizer of a hub repository or of a folder with the same files.

    Raises:
        CheckpointError: no tokenizer there, or the hub does not answer.
    """
    folder = Path(name)
    if folder.is_dir():
        if not (folder / VOCABULARY_FILE).is_file() and not (folder / "tokenizer.json").is_file():
            raise CheckpointError(f"{name}: no {VOCABULARY_FILE} or tokenizer.json in this folder.")
        # Without a tokenizer_config.json, AutoTokenizer can't tell the kind.
        known = (folder / "tokenizer_config.json").is_file()
        if known:
            return AutoTokenizer.from_pretrained(name)
        return _with_byte_fallback(T5Tokenizer.from_pretrained(name))
    try:
        return AutoTokenizer.from_pretrained(name, revision=revision)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{name}: no tokenizer to load ({first_line(error)}). Check the name and the network, "
            "or give a local folder with the same files."
        ) from error


def train_tokenizer(texts: Iterable[str], size: int, folder: Path) -> PreTrainedTokenizerBase:
    """A unigram SentencePiece vocabulary in T5's layout: pad 0, end 1, unknown 2, 100 sentinels.

    Bytes stand in for characters it has not seen, so any text survives (but for line breaks and
    runs of white space, which T5's normalization folds). `size` counts pieces without sentinels.

    Raises:
        CheckpointError: the texts hold too few different words for `size`.
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
            num_threads=1,  # more threads add up likelihoods in another order
            minloglevel=2,
        )
    except RuntimeError as error:
        raise CheckpointError(
            f"can't train a vocabulary of {size} pieces on the training split "
            f"({first_line(error)}). Lower parameters.model.vocabulary.size or add articles."
        ) from error
    (folder / VOCABULARY_FILE).write_bytes(vocabulary.getvalue())
    tokenizer = _with_byte_fallback(T5Tokenizer.from_pretrained(str(folder)))
    tokenizer.save_pretrained(str(folder))
    return tokenizer


def prepare_tokenizer(
    model: ModelSource, train: Iterable[dict[str, str]], folder: Path
) -> PreTrainedTokenizerBase:
    """The model's own tokenizer, or one trained on the rows of `train`; saved to `folder`."""
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
    """The same tokenizer, using its byte pieces if it has any.

    T5Tokenizer switches byte fallback off whatever `spiece.model` says; a vocabulary that has byte
    pieces becomes a tokenizer that keeps its own settings when saved and loaded.
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
