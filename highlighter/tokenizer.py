"""T5 tokenizers: load one, or train one and save it in T5's own layout."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import sentencepiece
from transformers import AutoTokenizer, PreTrainedTokenizerBase, T5Tokenizer

from highlighter.errors import CheckpointError
from highlighter.settings import (
    GivenVocabulary,
    PretrainedModel,
    ScratchModel,
    TrainedVocabulary,
)

VOCABULARY_FILE = "spiece.model"


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
        return (AutoTokenizer if known else T5Tokenizer).from_pretrained(name)
    try:
        return AutoTokenizer.from_pretrained(name, revision=revision)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{name}: no tokenizer to load ({_first_line(error)}). Check the name and the network, "
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
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_lines(texts),
            model_prefix=str(folder / Path(VOCABULARY_FILE).stem),
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
            f"({_first_line(error)}). Lower parameters.model.vocabulary.size or add articles."
        ) from error
    tokenizer = T5Tokenizer.from_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return tokenizer


def prepare_tokenizer(
    model: PretrainedModel | ScratchModel, train: Iterable[dict[str, str]], folder: Path
) -> PreTrainedTokenizerBase:
    """The model's own tokenizer, or one trained on the rows of `train`; saved to `folder`."""
    match model:
        case PretrainedModel():
            tokenizer = load_tokenizer(model.name, model.revision)
        case ScratchModel(vocabulary=GivenVocabulary(path=path)):
            tokenizer = load_tokenizer(path)
        case ScratchModel(vocabulary=TrainedVocabulary(size=size)):
            texts = (row[column] for row in train for column in ("article", "highlights"))
            return train_tokenizer(texts, size, folder)
    tokenizer.save_pretrained(str(folder))
    return tokenizer


def _lines(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (line for line in text.splitlines() if line.strip())


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
