"""Features of a segment's position and words that indicate its salience."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from highlighter.data.vocabulary import WORD_START, read_vocabulary

FEATURES = (
    # position
    "log_index",
    "inverse_index",
    "relative_index",
    "log_segments",
    # words
    "log_length",
    "rarity",
    "first_rarity",
    "capital_share",
    "digits",
    "log_commas",
    "quotes",
    "starts_with_quote",
    "question",
    # words of the segment in the rest of the article
    "similarity_to_article",
    "similarity_to_lead",
    "overlap_with_lead",
    "repeated_share",
    "log_repeated",
    "mean_repetitions",
    "log_repetitions",
    "log_mentions",
    "log_others",
    # difference to the article's mean, in standard deviations
    "relative_length",
    "relative_similarity",
    "relative_lead_similarity",
    "relative_repetitions",
)
_LEAD = 3
_MOST_REPETITIONS = 3
_QUOTES = frozenset('"“”„«»')
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class TokenTable:
    """What `describe_segments` needs to know of each token id, as arrays over the vocabulary.

    Attributes:
        surprise: negative log-probability in a unigram vocabulary; 0 for special tokens.
        letters: whether it has a letter or a digit.
        starts: whether a word starts with it.
        capital: whether it starts with a capital letter.
        digit: whether it has a digit.
        comma: whether it has a comma.
        quote: whether it has a double quotation mark.
        question: whether it has a question mark.
    """

    surprise: NDArray[np.float32]
    letters: NDArray[np.bool_]
    starts: NDArray[np.bool_]
    capital: NDArray[np.bool_]
    digit: NDArray[np.bool_]
    comma: NDArray[np.bool_]
    quote: NDArray[np.bool_]
    question: NDArray[np.bool_]


def token_table(tokenizer: PreTrainedTokenizerBase) -> TokenTable:
    """Return the properties of the tokenizer's tokens."""
    tokens = read_vocabulary(tokenizer)
    size = len(tokens)
    special = set(tokenizer.all_special_ids)
    texts = ["" if n in special else _text_of(token.text) for n, token in enumerate(tokens)]
    bare = [text.removeprefix(WORD_START) for text in texts]

    def flags(values: Any) -> NDArray[np.bool_]:
        return np.fromiter(values, np.bool_, count=size)

    return TokenTable(
        surprise=np.array([-token.log_probability for token in tokens], dtype=np.float32),
        letters=flags(any(c.isalnum() for c in text) for text in bare),
        # Scripts without capitals often have no spaces either: each of their pieces is a word.
        starts=flags(
            text.startswith(WORD_START)
            or not (text[:1].isdigit() or text[:1].lower() != text[:1].upper())
            for text in texts
        ),
        capital=flags(text[:1].isupper() for text in bare),
        digit=flags(any(c.isdigit() for c in text) for text in bare),
        comma=flags("," in text for text in bare),
        quote=flags(not _QUOTES.isdisjoint(text) for text in bare),
        question=flags("?" in text for text in bare),
    )


def _text_of(piece: str) -> str:
    """Return a piece's text; the character that a byte piece stands for, if it is ASCII."""
    if piece.startswith("<0x") and piece.endswith(">"):
        code = int(piece[3:5], 16)
        # Other bytes are parts of a character, most of them of a letter.
        return chr(code) if len(piece) == len("<0xNN>") and code < 128 else "a"
    return piece


def describe_segments(segments: Sequence[Sequence[int]], table: TokenTable) -> NDArray[np.float32]:
    """Return the FEATURES of each segment, (segments, len(FEATURES)), each roughly in -3..3.

    The cost is linear in the number of tokens. Words are compared as sequences of tokens and
    weighted by their rarity, which is what their tokens' log-probabilities say.

    Args:
        segments: token ids of each segment.
        table: from `token_table`.
    """
    count = len(segments)
    if not count:
        return np.zeros((0, len(FEATURES)), dtype=np.float32)
    lengths = np.array([len(segment) for segment in segments])
    tokens = np.fromiter(chain.from_iterable(segments), np.int64, count=lengths.sum())
    segment_of_token = np.repeat(np.arange(count), lengths)

    def tokens_with(flag: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.bincount(segment_of_token, flag[tokens], minlength=count).astype(np.float64)

    words, rarity, capital, segment_of_word = _words(tokens, segment_of_token, table)
    known, word = np.unique(words, return_inverse=True)
    rarity_of = np.zeros(len(known))
    rarity_of[word] = rarity
    # Each word of each segment once, and its count there.
    places, here = np.unique(segment_of_word * max(1, len(known)) + word, return_counts=True)
    segment, word = np.divmod(places, max(1, len(known)))
    weight = rarity_of[word]

    def summed(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(segment, values, minlength=count).astype(np.float64)

    elsewhere = np.bincount(word, here, minlength=len(known))[word] - here
    others = np.bincount(word, minlength=len(known))[word] - 1
    first = segment < _LEAD
    in_lead = np.bincount(word[first], here[first], minlength=len(known))
    in_lead = np.maximum(in_lead[word] - here * first, 0)
    total = summed(weight) + 0.5
    content = summed(weight > 0) + 1
    repeated = summed(weight * (elsewhere > 0))
    repetitions = summed(weight * np.minimum(elsewhere, _MOST_REPETITIONS))
    norm = np.sqrt(summed((here * weight) ** 2)) + 1e-6
    vectors = np.bincount(word, here * weight, minlength=len(known))
    similarity = _cosine(summed(here * weight**2 * elsewhere), norm, np.sqrt((vectors**2).sum()))
    lead_vector = np.bincount(word[first], (here * weight)[first], minlength=len(known))
    lead_similarity = _cosine(
        summed(here * weight**2 * in_lead), norm, np.sqrt((lead_vector**2).sum())
    )
    starts = np.minimum(np.cumsum(lengths) - lengths, max(0, len(tokens) - 1))
    filled = lengths > 0
    # A quotation mark may follow a token that is only a space.
    quoted = table.quote[tokens] if len(tokens) else np.zeros(1, dtype=np.bool_)
    silent = ~table.letters[tokens] if len(tokens) else np.zeros(1, dtype=np.bool_)
    second = np.minimum(starts + 1, max(0, len(tokens) - 1))
    opened = quoted[starts] | silent[starts] & quoted[second] & (lengths > 1)
    index = np.arange(count)
    log_length = np.log1p(lengths)
    log_repetitions = np.log1p(repetitions)
    columns = (
        np.log1p(index) / 2,
        1 / (index + 1),
        index / count,
        np.full(count, np.log(count) / 3),
        log_length / 3,
        (total - 0.5) / content,
        _first_rarity(segment_of_word, rarity, count),
        np.bincount(segment_of_word, capital, minlength=count)
        / (np.bincount(segment_of_word, minlength=count) + 1)
        * 2,
        np.minimum(tokens_with(table.digit), 1),
        np.log1p(tokens_with(table.comma)),
        np.minimum(tokens_with(table.quote), 1),
        opened * filled,
        np.minimum(tokens_with(table.question), 1),
        similarity * 3,
        lead_similarity * 3,
        summed(weight * (in_lead > 0)) / total,
        repeated / total,
        np.log1p(repeated),
        repetitions / content,
        log_repetitions,
        np.log1p(summed(weight * elsewhere)) / 2,
        np.log1p(summed(others * (weight > 0)) / content),
        _standardized(log_length),
        _standardized(similarity),
        _standardized(lead_similarity),
        _standardized(log_repetitions),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _words(
    tokens: NDArray[np.int64], segment_of_token: NDArray[np.int64], table: TokenTable
) -> tuple[NDArray[np.uint64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return each word's hash, rarity, capitalization and segment, in order; no punctuation."""
    letters = table.letters[tokens]
    start = table.starts[tokens] | ~letters
    start[1:] |= ~letters[:-1] & ~table.starts[tokens[:-1]] | (np.diff(segment_of_token) != 0)
    start[:1] = True
    first = np.flatnonzero(start)
    if not len(first):
        return np.zeros(0, np.uint64), np.zeros(0), np.zeros(0, np.bool_), np.zeros(0, np.int64)
    place = (np.arange(len(tokens)) - first[np.cumsum(start) - 1]).astype(np.uint64)
    mixed = (tokens.astype(np.uint64) + np.uint64(1)) * _MULTIPLIER
    mixed ^= mixed >> np.uint64(29)
    hashes = np.add.reduceat(mixed * (np.uint64(2) * place + np.uint64(1)), first)
    # 7 nats: about the hundred most frequent words.
    rarity = np.clip(np.add.reduceat(table.surprise[tokens], first) - 7, 0, 8) / 4
    kept = np.logical_or.reduceat(letters, first)
    # A word may start with a token that is only its space.
    lettered = first[kept] + ~letters[first[kept]]
    capital = table.capital[tokens[lettered]]
    return hashes[kept], rarity[kept].astype(np.float64), capital, segment_of_token[first][kept]


def _first_rarity(
    segment_of_word: NDArray[np.int64], rarity: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Return the rarity of each segment's first word, which is low for a pronoun."""
    rarities = np.zeros(count)
    with_words, first = np.unique(segment_of_word, return_index=True)
    rarities[with_words] = rarity[first]
    return rarities


def _cosine(
    product: NDArray[np.float64], norm: NDArray[np.float64], other: float
) -> NDArray[np.float64]:
    return product / (norm * (other + 1e-6))


def _standardized(values: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation: NDArray[np.float64] = np.clip(
        (values - values.mean()) / (values.std() + 1e-3), -3, 3
    )
    return deviation
