"""Articles to pretrain on: generated news, and text that the user provides."""

import random as standard_random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from highlighter.data.collator import IGNORED
from highlighter.data.features import target_text
from highlighter.data.files import read_rows
from highlighter.data.oracle import greedy_oracle
from highlighter.data.sentence_features import describe_segments, token_table
from highlighter.data.windows import encode_articles
from highlighter.errors import CorpusError
from highlighter.settings import Columns
from tools.newswire.corpus import SPLIT_SIZES, Row, generate_row

SALIENT_SENTENCES = 3
_ROW_FILES = (".jsonl", ".csv", ".parquet")


@dataclass(frozen=True)
class Article:
    """A tokenized article.

    Attributes:
        segments: token ids of each segment.
        features: rows of `describe_segments`, (segments, len(FEATURES)).
        salience: 1 for a salient segment, 0 otherwise; IGNORED without highlights.
        highlights: token ids of the highlights; empty if there are none.
    """

    segments: list[list[int]]
    features: NDArray[np.float32]
    salience: list[int]
    highlights: list[int]


def generated_row(number: int) -> Row:
    """Return a generated article that is in no split of the corpus and has no held-out name."""
    return generate_row("train", SPLIT_SIZES["train"] + number)


def condense(row: Row, background_share: float, random: np.random.Generator) -> str:
    """Return the paragraphs that state a fact of the highlights, and a random share of the rest."""
    if background_share == 1:
        return row.article
    return "\n\n".join(
        paragraph
        for paragraph in row.article.split("\n\n")
        if any(fact in paragraph for fact in row.facts) or random.random() < background_share
    )


def read_extra_texts(folder: Path) -> list[tuple[str, str]]:
    """Return article and highlights ("" if none) of every row and text file below a folder.

    A `.txt` file is one article. The other files hold rows with `article` and `highlights`.

    Raises:
        CorpusError: the folder does not exist or holds no article, or a row cannot be read.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder}: no such folder. Give --extra-text a folder of articles.")
    files = sorted(f for f in folder.rglob("*") if f.suffix in (".txt", *_ROW_FILES))
    texts = [text for file in files for text in _read_texts(file)]
    if not texts:
        raise CorpusError(f"{folder}: no .txt, .jsonl, .csv or .parquet file with an article.")
    return texts


def _read_texts(file: Path) -> Iterator[tuple[str, str]]:
    if file.suffix == ".txt":
        yield file.read_text(encoding="utf-8"), ""
        return
    for row in read_rows(str(file), Columns()):
        if row["problem"]:
            raise CorpusError(f"{file}, row {row['row']}: {row['problem']}. Fix or delete the row.")
        yield row["article"], row["highlights"]


class ArticleEncoder:
    """Tokenize articles and label their segments."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, budget: int) -> None:
        """Keep the tokenizer; `budget` is the largest number of tokens in a segment."""
        self._tokenizer = tokenizer
        self._budget = budget
        self._table = token_table(tokenizer)

    def encode(self, texts: list[tuple[str, str]]) -> list[Article]:
        """Return an Article for each pair of article and highlights."""
        encoded = encode_articles([article for article, _ in texts], self._tokenizer, self._budget)
        articles = []
        for (article, highlights), source in zip(texts, encoded, strict=True):
            salience = [IGNORED] * len(source.segments)
            target: list[int] = []
            if highlights:
                sentences = [article[start:end] for start, end in source.sentences]
                salient = set(greedy_oracle(sentences, highlights, SALIENT_SENTENCES))
                salience = [int(index in salient) for index in source.sentence_of_segment]
                tokens: Any = self._tokenizer(target_text(highlights), add_special_tokens=False)
                target = tokens["input_ids"]
            features = describe_segments(source.segments, self._table)
            articles.append(Article(source.segments, features, salience, target))
        return articles


def shuffled_lines(texts: list[tuple[str, str]], seed: int) -> list[str]:
    """Return all lines of articles and highlights, shuffled, for training a vocabulary."""
    lines = [line for text in texts for part in text for line in part.splitlines() if line.strip()]
    standard_random.Random(seed).shuffle(lines)
    return lines
