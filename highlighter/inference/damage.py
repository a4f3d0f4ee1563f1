"""Damage that shows in a generated text itself: fragments, repetitions, unbalanced quotes."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from highlighter.data.characters import words_of_all_scripts
from highlighter.data.sentences import sentence_texts
from highlighter.metrics.faithfulness import is_english
from highlighter.metrics.text import words
from highlighter.metrics.tokens import stem, words_of

_PAIRS = ("“”", "«»", "()", "[]", "‘’")
_OTHER_PAIRS = {"“”": "„“", "«»": "»«"}  # German, if the text's first mark opens such a pair
_FEET_AND_INCHES = re.compile(r"(?<=\d)['’]\d{1,2}[\"”]")
_APOSTROPHES = re.compile(
    r"['‘’](?:\d0s\b|(?:em|til|twas|tis|cause|n|bout)\b)|(?<=[^\W_])['’](?=[^\W_])", re.IGNORECASE
)
_LIST_NUMBER = re.compile(r"(?:\A|(?<=\s))\w{1,2}\)")
_OPENS_STRAIGHT = re.compile(r"(?<![\w'])'(?=\w)(?![A-Z]{2})")
_CLOSES_STRAIGHT = re.compile(r"(?<=[\w.,!?…])'(?!\w)")
_DETACHED_QUOTE = re.compile(r"(?:\s|\A)[\"“”](?:\s|\Z)")
_EMPTY_PAIR = re.compile(r"\"\"|“\s*”|«\s*»|\(\s*\)|\[\s*\]")
_ELLIPSIS = re.compile(r"\.(?:\s?\.){2,}|\.\.|…")
_STRAY = re.compile(r"\A\s*[.,;:!?]|[,;:]\s*[.,;:!?]|[.!?]\s+[.,;:]")
_NO_TEXT = re.compile(r"</?s>|<(?:pad|unk|extra_id_\d+|0x[0-9A-F]{2})>|[\ufffd⁇]")
_ENDS = tuple(".!?…。！？।؟")
_CLOSERS = "\"'”’»)]"
_FIRST_WORD = re.compile(r"[^\W_]+(?:['’-]\w+)*")
_LAST_WORDS = re.compile(r"((?:[^\W_]+\W+)?[^\W_]+)\W*\Z")
_LONG = 6  # words; a name of that many seldom occurs twice in a summary
_REFRAIN = 4  # words that seldom occur three times
_NEVER_LAST = words_of("the an and or but nor because its their my our your every")
_DOUBLED = words_of("had that very really so many much far no long")
_FEWEST = 4  # words of a sentence that can be compared with the article
_SUPPORTED = 0.2  # of a sentence's words; 3 of 4 sentences about other articles have less


def is_damaged(summary: str, article: Sequence[str], *, cut_off: bool) -> bool:
    """Return whether a generated summary is visibly broken.

    These are: quotation marks or brackets without their partner, with nothing between them or away
    from any word; stray punctuation; a sentence that begins in lower case, unless the article has a
    sentence that begins with the same word; a sentence that ends with a word such as "the"; a last
    sentence without an end after sentences with one; a sentence inside another one; words
    repeated at once, four of them three times or six twice, unless one sentence of the article
    repeats them too; a sentence of which two neighboring sentences of the article have too few
    words to support it.

    Args:
        summary: the text.
        article: the article's sentences.
        cut_off: whether the text reached the token limit; then its last sentence is not checked
            for its end, and quotation marks and brackets may be open.
    """
    sentences = sentence_texts(summary)
    if not cut_off and (_unbalanced(summary) or _unfinished(sentences, article)):
        return True
    return (
        _has_stray_marks(summary)
        or _has_fragment(sentences, article)
        or _has_repetition(sentences, article)
        or _has_unsupported(sentences, article)
    )


def _has_stray_marks(text: str) -> bool:
    without_ellipses = _ELLIPSIS.sub(" ", text)
    return (
        (bool(text) and not any(map(str.isalnum, text)))
        or _DETACHED_QUOTE.search(text) is not None
        or _EMPTY_PAIR.search(text) is not None
        or _STRAY.search(without_ellipses) is not None
        or _NO_TEXT.search(text) is not None
    )


def _unbalanced(text: str) -> bool:
    text = _LIST_NUMBER.sub("", _APOSTROPHES.sub("", _FEET_AND_INCHES.sub("", text)))
    straight = len(_OPENS_STRAIGHT.findall(text)) > len(_CLOSES_STRAIGHT.findall(text))
    return straight or text.count('"') % 2 == 1 or any(map(partial(_is_open, text), _PAIRS))


def _is_open(text: str, pair: str) -> bool:
    """Return whether a mark of the pair has no partner."""
    other = _OTHER_PAIRS.get(pair, pair)
    first = next((mark for mark in text if mark in pair + other), "")
    opening, closing = tuple(other if first == other[0] else pair)
    if "’" in pair:  # also the end of a possessive
        return text.count(opening) > text.count(closing)
    depth = 0
    for mark in text:
        depth += (mark == opening) - (mark == closing)
        if depth < 0:
            return True
    return depth > 0


def _unfinished(sentences: Sequence[str], article: Sequence[str]) -> bool:
    finished = [_is_finished(sentence) for sentence in sentences]
    # Highlights that are headlines have no end at all.
    if any(finished) and not finished[-1]:
        return True
    return any(map(_is_dangling, sentences)) and is_english(" ".join(article))


def _is_finished(sentence: str) -> bool:
    sentence = sentence.rstrip()
    # A closing quotation mark ends headlines.
    return sentence.endswith(tuple(_CLOSERS)) or sentence.endswith(_ENDS)


def _is_dangling(sentence: str) -> bool:
    """Return whether an English sentence ends with a word that needs another one."""
    match = _LAST_WORDS.search(sentence)
    last = match[1].lower().split() if match else [""]
    return last[-1] in _NEVER_LAST or last == ["because", "of"]


def _has_fragment(sentences: Sequence[str], article: Sequence[str]) -> bool:
    lower = {word for sentence in sentences if (word := _first_word(sentence)).islower()}
    return bool(lower) and not lower <= {_first_word(sentence) for sentence in article}


def _first_word(sentence: str) -> str:
    match = _FIRST_WORD.search(sentence)
    return match[0] if match else ""


def _has_repetition(sentences: Sequence[str], article: Sequence[str]) -> bool:
    spoken = [words(sentence) for sentence in sentences]
    texts = [f" {' '.join(sentence)} " for sentence in spoken]
    for index, text in enumerate(texts):
        others = (
            texts[:index] if len(spoken[index]) < _REFRAIN else texts[:index] + texts[index + 1 :]
        )
        if any(map(str.isalpha, text)) and any(text in other for other in others):
            return True
    run = [word for sentence in spoken for word in (*sentence, ".")]
    # The second value is how often one sentence of the article must have the words.
    repeated = [(2 * ngram, 1) for ngram in _repeated_at_once(run)]
    repeated += [(ngram, 2) for ngram in _repeated_anywhere(run, _LONG, 2)]
    repeated += [(ngram, 3) for ngram in _repeated_anywhere(run, _REFRAIN, 3)]
    if not repeated:
        return False
    known = [f" {' '.join(words(sentence))} " for sentence in article]
    return not all(
        any(sentence.count(f" {' '.join(ngram)} ") >= times for sentence in known)
        for ngram, times in repeated
    )


def _repeated_at_once(text: Sequence[str]) -> list[tuple[str, ...]]:
    """Return n-grams that are followed by themselves, at most one of each length."""
    found = []
    for size in range(1, len(text) // 2 + 1):
        equal = 0
        for start in range(len(text) - size):
            equal = equal + 1 if text[start] == text[start + size] else 0
            if equal == size and not (size == 1 and _is_doubled(text, start)):
                found.append(tuple(text[start + 1 : start + 1 + size]))
                break
    return found


def _is_doubled(text: Sequence[str], start: int) -> bool:
    """Return whether two equal words are English ("had had"); three are not."""
    return text[start] in _DOUBLED and text[start + 2 : start + 3] != [text[start]]


def _repeated_anywhere(text: Sequence[str], size: int, times: int) -> list[tuple[str, ...]]:
    """Return the n-grams of a size that occur that many times."""
    counts = Counter(zip(*(text[start:] for start in range(size)), strict=False))
    return [ngram for ngram, count in counts.items() if count >= times]


def _has_unsupported(sentences: Sequence[str], article: Sequence[str]) -> bool:
    known = [_content(sentence) for sentence in article]
    pairs = [first | second for first, second in pairwise([*known, set()])]
    for words_of_sentence in map(_content, sentences):
        best = max((len(words_of_sentence & pair) for pair in pairs), default=0)
        letters = sum(not word.isdigit() for word in words_of_sentence)
        if letters >= _FEWEST and best < _SUPPORTED * len(words_of_sentence):
            return True
    return False


def _content(sentence: str) -> set[str]:
    """Return the stems of the words of more than three letters, and the digits."""
    return {stem(w) for w in words_of_all_scripts(sentence) if len(w) > 3 or w.isdigit()}
