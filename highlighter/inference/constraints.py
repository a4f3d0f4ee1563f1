"""Keep a summary's names and numbers to those of its article while it is written."""

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from transformers import LogitsProcessor, PreTrainedTokenizerBase

_CANDIDATES = (24, 480, sys.maxsize)  # most probable next tokens that are looked at, at each step
_EDGES = "\"'“”‘’()[]{}.,;:!?…-–—"
_LONGEST_INITIAL = 4  # "J." and "St." don't end a sentence, "May." does
_ENDINGS = re.compile(r"['’]?s?['’]?[^\w]*")
_ASCII_BYTE = re.compile(r"^<0x([0-7][0-9A-F])>$")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*$")


class WordList:
    """The words of one article, all their beginnings, and which word follows which."""

    def __init__(self, article: str) -> None:
        self._words: set[str] = set()
        self._followers: defaultdict[str, set[str]] = defaultdict(set)
        runs = article.split()
        for run in runs:
            word = run.strip(_EDGES)
            self._words.update((word, *re.split(r"[-–'’/]", word)))
        for run, follower in pairwise([*runs, ""]):
            followers = self._followers[run.strip(_EDGES)]
            if run[-1].isalnum() or len(run) < _LONGEST_INITIAL:
                word = follower.strip(_EDGES)
                followers.update((word, *re.split(r"['’]", word)[:1]))
        self._words.discard("")
        self._beginnings = {word[:end] for word in self._words for end in range(1, len(word) + 1)}
        self._lower_words = {word.casefold() for word in self._words}
        self._lower_beginnings = {text.casefold() for text in self._beginnings}

    def may_begin(self, text: str, opens_sentence: bool) -> bool:
        """Whether a word of the article begins so, or is `text` but for an ending."""
        if text in self._beginnings or (
            opens_sentence and text.casefold() in self._lower_beginnings
        ):
            return True
        return self.may_end(text, opens_sentence)

    def may_end(self, text: str, opens_sentence: bool) -> bool:
        """Whether `text` is a word of the article, perhaps with a possessive or a stop."""
        for end in range(len(text), 0, -1):
            known = text[:end]
            if known in self._words or (opens_sentence and known.casefold() in self._lower_words):
                return bool(_ENDINGS.fullmatch(text, end))
        return False

    def may_follow(self, previous: str, text: str, whole: bool) -> bool:
        """Whether `text`, a word or its beginning, follows the word `previous` in the article.

        So that no first name gets another's surname, and no day another month. Where `previous`
        ends a phrase (a comma, a possessive) or is no word of the article, anything may follow.
        """
        if previous not in self._followers:
            return True
        return any(
            _is_with_ending(word, text) or (not whole and word.startswith(text))
            for word in self._followers[previous]
        )


def _is_with_ending(word: str, text: str) -> bool:
    return bool(word) and text.startswith(word) and bool(_ENDINGS.fullmatch(text, len(word)))


class _Written(NamedTuple):
    """The end of what is written: the open word, and the one before it in its sentence.

    `opens_next`: a word that follows the open one would open a sentence.
    """

    word: str
    opens_sentence: bool
    previous: str  # "" if there is none that the open word has to follow
    opens_next: bool


class ArticleWords(LogitsProcessor):
    """Forbids capitalised words and numbers that the article does not have, or not in this order.

    Constrained decoding as in GENRE (De Cao et al. 2021), with the article's words instead of a
    catalogue of entities. The first word of a sentence is capitalised whatever it is: there, words
    that the vocabulary also has in lower case are free. Row i of `articles` belongs to the beams
    i * beams to (i + 1) * beams - 1.
    """

    def __init__(
        self, articles: Sequence[WordList], beams: int, tokenizer: PreTrainedTokenizerBase
    ) -> None:
        self._articles = articles
        self._beams = beams
        self._known: dict[tuple[int, _Written, int], bool] = {}
        self._closed: dict[tuple[int, _Written], bool] = {}
        pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        self._pieces = [_ASCII_BYTE.sub(_character, piece) for piece in pieces]
        self._vocabulary = set(self._pieces)
        self._special = set(tokenizer.all_special_ids)
        self._end = tokenizer.eos_token_id
        self._plain = [_plain_kind(piece) for piece in self._pieces]

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores with the forbidden tokens among the most probable at minus infinity."""
        few, many, every = (min(count, scores.shape[-1]) for count in _CANDIDATES)
        likely = _possible(scores, few)
        forbidden: list[tuple[int, int]] = []
        for row, written in enumerate(input_ids.tolist()):
            article = row // self._beams
            end = self._end_of(written)
            # Most often one of the likely tokens will do; if not, all are looked at.
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
        """Whether a summary of an article has no forbidden token; `ended`: nor a forbidden end."""
        tokens = [*ids, self._end] if ended else list(ids)
        return all(
            self._allows(article, self._end_of(tokens[:place]), token)
            for place, token in enumerate(tokens)
        )

    def _allows(self, article: int, end: _Written, token: int) -> bool:
        # Most tokens name nothing; and beams and steps ask the same again and again.
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
            self._known[key] = self._judge(self._articles[article], end, token)
        return self._known[key]

    def _judge(self, words: WordList, end: _Written, token: int) -> bool:
        if token == self._end:
            return self._may_close(words, end)
        if not self._is_text(token):
            return False  # an unknown piece, which no reader sees, hides where a word ends
        piece = self._pieces[token]
        if piece.startswith("<0x"):
            return True  # a part of a character says nothing yet
        if piece.startswith("▁"):
            previous = self._phrase(end.word, end.opens_sentence)
            begun = _Written(piece[1:].lstrip(_EDGES), end.opens_next, previous, False)
            return self._may_close(words, end) and self._may_be(words, begun, whole=False)
        longer = end._replace(word=(end.word + piece).lstrip(_EDGES))
        return self._may_be(words, longer, whole=False)

    def _may_close(self, words: WordList, end: _Written) -> bool:
        """Whether the open word may end. One that leads nowhere (bytes, or nothing else was left)
        ends at once: nothing could be added to it, and all tokens would be looked at in vain.
        """
        return self._may_be(words, end, whole=True) or not self._may_be(words, end, whole=False)

    def _may_be(self, words: WordList, end: _Written, whole: bool) -> bool:
        """Whether the open word, or one that begins so, may stand there."""
        text, opens = end.word, end.opens_sentence
        if not _is_guarded(text):
            return True
        known = words.may_end(text, opens) if whole else words.may_begin(text, opens)
        if not known:
            return self._is_common(text, opens)
        return not end.previous or words.may_follow(end.previous, text, whole)

    def _phrase(self, word: str, opens_sentence: bool) -> str:
        """The word, if the next one continues its phrase: a name's or a number's."""
        if not _is_guarded(word) or self._is_common(word, opens_sentence):
            return ""
        if word[-1] in _EDGES or word.endswith(("'s", "’s")):
            return ""
        return word

    def _is_common(self, text: str, opens_sentence: bool) -> bool:
        bare = text.rstrip(_EDGES)
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
        """The last word, without quotes before it, and the index of its first token."""
        start = len(written)
        while start > 0 and self._is_text(written[start - 1]):
            start -= 1
            if self._pieces[written[start]].startswith("▁"):
                break
        text = "".join(self._pieces[token] for token in written[start:])
        return text.removeprefix("▁").lstrip(_EDGES), start

    def _is_text(self, token: int) -> bool:
        # A model may have more rows than the tokenizer has pieces.
        return token < len(self._pieces) and token not in self._special

    def _opens_sentence(self, written: list[int]) -> bool:
        """Whether what comes next is the first word, or follows a sentence's end."""
        if not written or not self._is_text(written[-1]):
            return True
        return bool(_SENTENCE_END.search(self._pieces[written[-1]]))


def _possible(scores: torch.Tensor, count: int) -> list[list[int]]:
    """Of each row's `count` best tokens, those that no other rule has forbidden."""
    best = scores.topk(count)
    return [
        [token for token, score in zip(tokens, values, strict=True) if score > -torch.inf]
        for tokens, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def _character(byte: re.Match[str]) -> str:
    return chr(int(byte[1], 16)).replace(" ", "▁")


def _plain_kind(piece: str) -> str:
    """Whether a piece starts a word that is no name or number, or can stand inside one."""
    text = piece.removeprefix("▁").lstrip(_EDGES)
    if piece.startswith("<") or not text or _is_guarded(text):
        return ""
    return "start" if piece.startswith("▁") else "inside"


def _is_guarded(text: str) -> bool:
    """Whether it is a name or a number: capitalised, or with a digit."""
    return text[:1].isupper() or any(character.isdigit() for character in text)
