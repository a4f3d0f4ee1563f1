"""Keep a summary's names and numbers to those of its article while it is written."""

import re
from collections.abc import Sequence

import torch
from transformers import LogitsProcessor, PreTrainedTokenizerBase

_CANDIDATES = 24  # most probable next tokens that are looked at, at each step
_EDGES = "\"'“”‘’()[]{}.,;:!?…-–—"
_ENDINGS = re.compile(r"['’]?s?['’]?[^\w]*")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*$")


class WordList:
    """The words of one article, and all their beginnings."""

    def __init__(self, article: str) -> None:
        self._words: set[str] = set()
        for run in article.split():
            word = run.strip(_EDGES)
            self._words.update((word, *re.split(r"[-–'’/]", word)))
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


class ArticleWords(LogitsProcessor):
    """Forbids capitalised words and numbers that the article does not have.

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
        self._pieces: list[str] = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        self._vocabulary = set(self._pieces)
        self._special = set(tokenizer.all_special_ids)
        self._end = tokenizer.eos_token_id

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores with the forbidden tokens among the most probable at minus infinity."""
        best = scores.topk(min(_CANDIDATES, scores.shape[-1]), dim=-1).indices
        forbidden: list[tuple[int, int]] = []
        for row, written in enumerate(input_ids.tolist()):
            words = self._articles[row // self._beams]
            word, opens_sentence = self._open_word(written)
            # Most often one of the likely tokens will do; if not, all are looked at.
            for tokens in (best[row], slice(None)):
                possible = _possible(scores[row], tokens)
                bad = [
                    t for t in possible if not self._allows(words, word, opens_sentence, t, written)
                ]
                if len(bad) < len(possible):
                    forbidden.extend((row, token) for token in bad)
                    break
        if forbidden:
            places = torch.tensor(forbidden, device=scores.device)
            scores = scores.clone()  # type: ignore[assignment]
            scores[places[:, 0], places[:, 1]] = -torch.inf
        return scores

    def _allows(
        self, words: WordList, word: str, opens_sentence: bool, token: int, written: list[int]
    ) -> bool:
        if not self._is_text(token) and token != self._end:
            return True
        piece = self._pieces[token]
        if token == self._end or piece.startswith("▁"):
            if _is_guarded(word) and not self._may_end(words, word, opens_sentence):
                return False
            if token == self._end:
                return True
            begun = piece[1:].lstrip(_EDGES)
            opens_next = self._opens_sentence(written)
            return not _is_guarded(begun) or self._may_begin(words, begun, opens_next)
        if piece.startswith("<0x"):
            return True  # a part of a character says nothing yet
        longer = (word + piece).lstrip(_EDGES)
        return not _is_guarded(longer) or self._may_begin(words, longer, opens_sentence)

    def _may_begin(self, words: WordList, text: str, opens_sentence: bool) -> bool:
        return words.may_begin(text, opens_sentence) or self._is_common(text, opens_sentence)

    def _may_end(self, words: WordList, text: str, opens_sentence: bool) -> bool:
        return words.may_end(text, opens_sentence) or self._is_common(text, opens_sentence)

    def _is_common(self, text: str, opens_sentence: bool) -> bool:
        bare = text.rstrip(_EDGES)
        return opens_sentence and bare.isalpha() and f"▁{bare.lower()}" in self._vocabulary

    def _open_word(self, written: list[int]) -> tuple[str, bool]:
        """The word being written, without quotes before it, and whether it opens a sentence."""
        start = len(written)
        while start > 0 and self._is_text(written[start - 1]):
            start -= 1
            if self._pieces[written[start]].startswith("▁"):
                break
        text = "".join(self._pieces[token] for token in written[start:])
        return text.removeprefix("▁").lstrip(_EDGES), self._opens_sentence(written[:start])

    def _is_text(self, token: int) -> bool:
        # A model may have more rows than the tokenizer has pieces.
        return token < len(self._pieces) and token not in self._special

    def _opens_sentence(self, written: list[int]) -> bool:
        """Whether what comes next is the first word, or follows a sentence's end."""
        if not written or not self._is_text(written[-1]):
            return True
        return bool(_SENTENCE_END.search(self._pieces[written[-1]]))


def _possible(scores: torch.Tensor, tokens: torch.Tensor | slice) -> list[int]:
    """Those of the tokens that no other rule has forbidden."""
    ids = torch.arange(len(scores), device=scores.device)[tokens]
    possible: list[int] = ids[scores[tokens] > -torch.inf].tolist()
    return possible


def _is_guarded(text: str) -> bool:
    """Whether it is a name or a number: capitalised, or with a digit."""
    return text[:1].isupper() or any(character.isdigit() for character in text)
