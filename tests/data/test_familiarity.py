"""Articles of the kind of the training articles, and others."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.data.familiarity import FILE, Familiarity, learn_familiarity, read_familiarity
from highlighter.embedded import CHECKPOINT, CORPUS
from highlighter.errors import CheckpointError
from highlighter.model.tokenizer import load_tokenizer
from tests.conftest import SHARED


@pytest.fixture(scope="module")
def corpus_tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(str(CHECKPOINT))


def tokenize(tokenizer: PreTrainedTokenizerBase, split: str, rows: int) -> list[list[int]]:
    articles = pq.read_table(CORPUS / f"{split}.parquet")["article"].slice(0, rows).to_pylist()
    tokens: list[list[int]] = tokenizer(articles, add_special_tokens=False)["input_ids"]
    return tokens


@pytest.fixture(scope="module")
def known(corpus_tokenizer: PreTrainedTokenizerBase) -> Familiarity:
    return learn_familiarity(
        tokenize(corpus_tokenizer, "train", 1000), tokenize(corpus_tokenizer, "validation", 100)
    )


def test_other_articles_of_the_corpus_are_familiar(
    corpus_tokenizer: PreTrainedTokenizerBase, known: Familiarity
) -> None:
    others = tokenize(corpus_tokenizer, "test", 200)
    assert sum(map(known.knows, others)) >= 198


def test_news_of_another_kind_is_not(
    corpus_tokenizer: PreTrainedTokenizerBase, known: Familiarity
) -> None:
    ferry = (
        "The Ashford ferry will return to service on 3 May, the harbour board said on Tuesday.\n\n"
        "The vessel was withdrawn in January when divers found cracks in its hull. Repairs cost "
        "£1.4 million, because the yard at Dunholt had to replace eleven plates instead of four."
    )
    file = SHARED / "cnn_dm_sample" / "validation.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for article in (ferry, *(json.loads(line)["article"] for line in lines)):
        assert not known.knows(corpus_tokenizer(article, add_special_tokens=False)["input_ids"])


def test_training_articles_share_everything_and_texts_without_pairs_nothing(
    corpus_tokenizer: PreTrainedTokenizerBase, known: Familiarity
) -> None:
    assert known.share_of(tokenize(corpus_tokenizer, "train", 1)[0]) == 1.0
    assert known.share_of([]) == known.share_of([5]) == 0.0


def test_the_file_holds_all_and_is_named_if_damaged(known: Familiarity, tmp_path: Path) -> None:
    assert read_familiarity(tmp_path) is None
    known.save(tmp_path)
    stored = read_familiarity(tmp_path)
    assert stored is not None
    assert np.array_equal(stored.pairs, known.pairs)
    assert stored.lowest_share == pytest.approx(known.lowest_share)
    (tmp_path / FILE).write_bytes(b"half of it")
    with pytest.raises(CheckpointError, match=FILE):
        read_familiarity(tmp_path)
