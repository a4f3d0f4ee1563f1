"""Characters as readers see them: invisible ones, compatible forms, and words of all scripts."""

import re
import unicodedata

# Soft hyphen, zero-width space, word joiner, byte order mark, and marks of direction.
_DROPPED = "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
# Zero-width joiners mean something in Arabic, Indic scripts and emoji, but not between these.
_LATIN = "[\u0000-\u024f]"
_INVISIBLE = re.compile(f"[{_DROPPED}]|(?<={_LATIN})[\u200c\u200d](?={_LATIN})")
EDGE = rf"[\s{_DROPPED}\u200c\u200d]"  # white space or invisible

# Blank letters and symbols that Unicode counts as visible.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_VISIBLE_CATEGORIES = frozenset("LNPS")

# Ligatures, full-width characters and special spaces.
_COMPATIBLE = {
    code: unicodedata.normalize("NFKC", chr(code))
    for first, last in ((0xFB00, 0xFB06), (0xFF01, 0xFF5E), (0x2000, 0x200A))
    for code in range(first, last + 1)
} | dict.fromkeys((0xA0, 0x202F, 0x205F, 0x3000), " ")

_SPECIAL_TOKEN = re.compile(r"<(?=/?(?:s|pad|unk|extra_id_\d+|0x[0-9A-Fa-f]{2})>)")

_ONE_CHARACTER_WORDS = "\u0e00-\u0eff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_NO_WORDS = (
    "\u0000-\u036f\u037e\u0387\u055a-\u055f\u0589\u05be\u05c0\u05c3\u05f3\u05f4\u060c\u061b\u061f"
    "\u066a-\u066d\u06d4\u0964\u0965\u1e00-\u1eff\u2000-\u2bff\u2e00-\u3040\ua720-\ua7ff"
    "\ud800-\uf8ff\ufb00-\ufb06\ufe00-\ufe6f\uff00-\uffff\U0001f000-\U0001faff\U000e0000-\U0010ffff"
)
_OTHER_SCRIPTS = rf"[{_ONE_CHARACTER_WORDS}]|[^{_NO_WORDS}{_ONE_CHARACTER_WORDS}]+"
_OTHER_SCRIPT = re.compile(_OTHER_SCRIPTS)
_WORD = re.compile(rf"[a-z0-9]+|{_OTHER_SCRIPTS}")


def drop_invisible(text: str) -> str:
    """Return the text without soft hyphens and zero-width characters."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def fold_compatible(text: str) -> str:
    """Return the text for comparisons.

    Invisible characters are left out; ligatures, full-width characters and non-breaking spaces
    become the letters, digits and spaces that they are read as.
    """
    return text if text.isascii() else drop_invisible(text).translate(_COMPATIBLE)


def _is_drawn(category: str) -> bool:
    """Return whether characters of a category are drawn; unassigned ones are drawn as boxes."""
    return category[0] in _VISIBLE_CATEGORIES or category in {"Cn", "Co"}


def has_visible_text(text: str) -> bool:
    """Return whether the text has a letter, digit, punctuation mark or symbol to be seen."""
    return any(
        _is_drawn(unicodedata.category(character)) and character not in _BLANK for character in text
    )


def tokenizer_text(text: str) -> str:
    """Return the text for a T5 tokenizer: nothing invisible, and no special tokens.

    A tokenizer reads "</s>", "<pad>" or "<0x41>" in an article as a special token; with a space
    after the "<" it reads plain text.
    """
    return _SPECIAL_TOKEN.sub("< ", drop_invisible(text))


def has_other_scripts(text: str) -> bool:
    """Return whether the text has letters of scripts other than Latin."""
    return not text.isascii() and _OTHER_SCRIPT.search(text) is not None


def words_of_all_scripts(text: str) -> list[str]:
    """Return the lower-cased words; scripts without spaces between words give single characters.

    Words of ASCII letters and digits are those of `rouge_score`.
    """
    return _WORD.findall(text.lower())
