from pathlib import Path

import datasets
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from highlighter.errors import CheckpointError
from highlighter.model.tokenizer import load_tokenizer, prepare_tokenizer, train_tokenizer
from highlighter.settings import GivenVocabulary, ScratchModel


def test_a_trained_vocabulary_has_t5s_layout(tokenizer: PreTrainedTokenizerBase) -> None:
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (0, 1, 2)
    assert tokenizer.convert_ids_to_tokens(len(tokenizer) - 1) == "<extra_id_0>"
    assert len(tokenizer) == 500


@pytest.mark.parametrize(
    "text", ["The bridge at Ashford", "naïve café — “quoted” …", "東京 😀 £4.2m", "Ωμέγα and zß"]
)
def test_decoding_returns_the_encoded_text(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.unk_token_id not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == text.replace("…", "...")


def test_a_saved_tokenizer_is_loaded_here_and_by_transformers(
    tokenizer: PreTrainedTokenizerBase, articles: datasets.DatasetDict, tmp_path: Path
) -> None:
    tokenizer.save_pretrained(tmp_path)
    text = articles["test"][0]["article"]
    for again in (load_tokenizer(str(tmp_path)), AutoTokenizer.from_pretrained(tmp_path)):
        assert again(text)["input_ids"] == tokenizer(text)["input_ids"]


def test_training_twice_gives_the_same_vocabulary(
    articles: datasets.DatasetDict, tmp_path: Path
) -> None:
    texts = articles["train"]["article"][:]
    for name in "ab":
        train_tokenizer(texts, 400, tmp_path / name)
    models = [(tmp_path / name / "spiece.model").read_bytes() for name in "ab"]
    assert models[0] == models[1]


def test_too_large_a_vocabulary_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="vocabulary of 5000 pieces.*Lower"):
        train_tokenizer(["A very short text."], 5000, tmp_path)


def test_a_folder_without_a_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no spiece\.model"):
        load_tokenizer(str(tmp_path))


def test_t5s_real_vocabulary_loads_from_spiece_alone(t5_vocabulary: Path, tmp_path: Path) -> None:
    source = ScratchModel(
        kind="scratch", vocabulary=GivenVocabulary(kind="folder", path=str(t5_vocabulary))
    )
    real = prepare_tokenizer(source, [], tmp_path / "tokenizer")
    assert len(real) == 32100
    ids = real("summarize: The house is wonderful.")["input_ids"]
    assert ids == [21603, 10, 37, 629, 19, 1627, 5, 1]
    assert (
        load_tokenizer(str(tmp_path / "tokenizer"))("Das Haus")["input_ids"]
        == real("Das Haus")["input_ids"]
    )
