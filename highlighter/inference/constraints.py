"""Constrained decoding: restrict a summary's names and numbers to those of its article."""

import re
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from transformers import LogitsProcessor, PreTrainedTokenizerBase

from highlighter.data.vocabulary import read_vocabulary
from highlighter.inference.word_list import EDGES, WordList

_CANDIDATES = (24, 480, sys.maxsize)  # most probable next tokens that are examined at each step
_ASCII_BYTE = re.compile(r"^<0x([0-7][0-9A-F])>$")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*$")


class _Written(NamedTuple):
    """The end of the generated text: its last word, and what is known about its sentence."""

    word: str
    opens_sentence: bool
    previous: str  # the word before it; "" if `word` need not follow it
    opens_next: bool  # whether the word after `word` opens a sentence


class _Vocabulary(NamedTuple):
    pieces: list[str]
    known: frozenset[str]
    kinds: list[str]


@lru_cache(maxsize=4)
def _vocabulary(tokenizer: PreTrainedTokenizerBase) -> _Vocabulary:
    """Return the tokenizer's pieces, and of each what `_plain_kind` returns."""
    pieces = [_ASCII_BYTE.sub(_character, token.text) for token in read_vocabulary(tokenizer)]
    return _Vocabulary(pieces, frozenset(pieces), [_plain_kind(piece) for piece in pieces])


class ArticleWords(LogitsProcessor):
    """Forbid capitalized words and numbers that are not in the article, or not in this order.

    This is constrained decoding as in GENRE (De Cao et al. 2021), with the article's words instead
    of a catalog of entities. The first word of a sentence is always capitalized, so words that the
    vocabulary also contains in lower case are allowed there. Beams i * beams to (i + 1) * beams - 1
    belong to entry i of `articles`.
    """

    def __init__(
        self, articles: Sequence[WordList], beams: int, tokenizer: PreTrainedTokenizerBase
    ) -> None:
        self._articles = articles
        self._beams = beams
        self._known: dict[tuple[int, _Written, int], bool] = {}
        self._closed: dict[tuple[int, _Written], bool] = {}
        self._pieces, self._vocabulary, self._plain = _vocabulary(tokenizer)
        self._special = set(tokenizer.all_special_ids)
        self._end = tokenizer.eos_token_id

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Return the scores, with minus infinity for the most probable tokens if forbidden.

        Args:
            input_ids: the generated tokens, shape (rows, length).
            scores: log-probabilities of the next token, shape (rows, vocabulary).
        """
        few, many, every = (min(count, scores.shape[-1]) for count in _CANDIDATES)
        likely = _possible(scores, few)
        forbidden: list[tuple[int, int]] = []
        for row, written in enumerate(input_ids.tolist()):
            article = row // self._beams
            end = self._end_of(written)
            # One of the few most probable tokens is usually allowed; otherwise more are examined.
            for count in (few, many, every):
                possible = (
                    likely[row] if count == few else _possible(scores[row : row + 1], count)[0]
                )
                bad = [token for token in possible if not self._allows(article, end, token)]
                if len(bad) < len(possible):
                    forbidden.extend((row, token) for token in bad)
                    break
        if forbidden:
            places = torch.tensor(forbidden, device=scores.device)
            scores = scores.clone()  # type: ignore[assignment]
            scores[places[:, 0], places[:, 1]] = -torch.inf
        return scores

    def keeps_to(self, article: int, ids: Sequence[int], ended: bool) -> bool:
        """Return whether a summary has no forbidden token.

        Args:
            article: the index of its article.
            ids: the summary's token ids, without the end token.
            ended: whether the end token followed.
        """
        tokens = [*ids, self._end] if ended else list(ids)
        return all(
            self._allows(article, self._end_of(tokens[:place]), token)
            for place, token in enumerate(tokens)
        )

    def _allows(self, article: int, end: _Written, token: int) -> bool:
        # Most tokens are not parts of names, and beams and steps repeat the same questions.
        kind = self._plain[token] if token < len(self._plain) else ""
        if kind == "inside" and not _is_guarded(end.word):
            return True
        if kind == "start":
            place = (article, end)
            if place not in self._closed:
                self._closed[place] = self._may_close(self._articles[article], end)
            return self._closed[place]
        key = (article, end, token)
        if key not in self._known:
            self._known[key] = self._is_allowed(self._articles[article], end, token)
        return self._known[key]

    def _is_allowed(self, words: WordList, end: _Written, token: int) -> bool:
        if token == self._end:
            return self._may_close(words, end)
        if not self._is_text(token):
            return False  # the unknown token is not decoded, so it would hide a word's end
        piece = self._pieces[token]
        if piece.startswith("<0x"):
            return True  # an incomplete character cannot be checked yet
        if piece.startswith("▁"):
            previous = self._phrase(end.word, end.opens_sentence)
            begun = _Written(piece[1:].lstrip(EDGES), end.opens_next, previous, False)
            return self._may_close(words, end) and self._may_be(words, begun, complete=False)
        longer = end._replace(word=(end.word + piece).lstrip(EDGES))
        return self._may_be(words, longer, complete=False)

    def _may_close(self, words: WordList, end: _Written) -> bool:
        """Return whether the last word may end.

        A word that no word of the article starts with (after byte tokens, or where every candidate
        was forbidden) has to end: nothing could complete it.
        """
        return self._may_be(words, end, complete=True) or not self._may_be(
            words, end, complete=False
        )

    def _may_be(self, words: WordList, end: _Written, complete: bool) -> bool:
        """Return whether the last word is allowed, or could become so if it is not `complete`."""
        text, opens = end.word, end.opens_sentence
        if not _is_guarded(text):
            return True
        known = words.may_end(text, opens) if complete else words.may_begin(text, opens)
        if not known:
            return self._is_common(text, opens)
        return not end.previous or words.may_follow(end.previous, text, complete)

    def _phrase(self, word: str, opens_sentence: bool) -> str:
        """Return the word if it is a name or number that the next word may continue, else ""."""
        if not _is_guarded(word) or self._is_common(word, opens_sentence):
            return ""
        if word[-1] in EDGES or word.endswith(("'s", "’s")):
            return ""
        return word

    def _is_common(self, text: str, opens_sentence: bool) -> bool:
        bare = text.rstrip(EDGES)
        return opens_sentence and bare.isalpha() and f"▁{bare.lower()}" in self._vocabulary

    def _end_of(self, written: list[int]) -> _Written:
        word, start = self._last_word(written)
        opens = self._opens_sentence(written[:start])
        previous = ""
        if not opens:
            before, start = self._last_word(written[:start])
            previous = self._phrase(before, self._opens_sentence(written[:start]))
        return _Written(word, opens, previous, self._opens_sentence(written))

    def _last_word(self, written: list[int]) -> tuple[str, int]:
        """Return the last word, without opening quotes, and the index of its first token."""
        start = len(written)
        while start > 0 and self._is_text(written[start - 1]):
            start -= 1
            if self._pieces[written[start]].startswith("▁"):
                break
        text = "".join(self._pieces[token] for token in written[start:])
        return text.removeprefix("▁").lstrip(EDGES), start

    def _is_text(self, token: int) -> bool:
        # The model's vocabulary may be padded beyond the tokenizer's.
        return token < len(self._pieces) and token not in self._special

    def _opens_sentence(self, written: list[int]) -> bool:
        """Return whether the next word is the first of the text or follows a sentence's end."""
        if not written or not self._is_text(written[-1]):
            return True
        return bool(_SENTENCE_END.search(self._pieces[written[-1]]))


def _possible(scores: torch.Tensor, count: int) -> list[list[int]]:
    """Return each row's `count` best tokens, without those that are forbidden already."""
    best = scores.topk(count)
    return [
        [token for token, score in zip(tokens, values, strict=True) if score > -torch.inf]
        for tokens, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def _character(byte: re.Match[str]) -> str:
    return chr(int(byte[1], 16)).replace(" ", "▁")


def _plain_kind(piece: str) -> str:
    """Return "start" or "inside" for a piece of a word that is no name or number, else ""."""
    text = piece.removeprefix("▁").lstrip(EDGES)
    if piece.startswith("<") or not text or _is_guarded(text):
        return ""
    return "start" if piece.startswith("▁") else "inside"


def _is_guarded(text: str) -> bool:
    """Return whether the text is a name or number: capitalized, or with a digit."""
    return text[:1].isupper() or any(character.isdigit() for character in text)
