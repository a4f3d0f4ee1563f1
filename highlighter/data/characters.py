"""Characters as readers see them: invisible ones, compatible forms, and words of all scripts."""

import re
import unicodedata

# Soft hyphen, zero-width space, word joiner, byte order mark, and marks of direction.
_DROPPED = "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
# Zero-width joiners mean something in Arabic, Indic scripts and emoji, but not between these.
_LATIN = "[\u0000-\u024f]"
_INVISIBLE = re.compile(f"[{_DROPPED}]|(?<={_LATIN})[\u200c\u200d](?={_LATIN})")
EDGE = rf"[\s{_DROPPED}\u200c\u200d]"  # white space or invisible

# A character to be seen: no white space, no control, not ignored when drawn (Unicode's
# Default_Ignorable_Code_Point), and not blank like Braille's empty cell.
VISIBLE = (
    "[^\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_VISIBLE = re.compile(VISIBLE)

_SURROGATE = re.compile("[\ud800-\udfff]")

# Ligatures, full-width characters and special spaces.
_COMPATIBLE = {
    code: unicodedata.normalize("NFKC", chr(code))
    for first, last in ((0xFB00, 0xFB06), (0xFF01, 0xFF5E), (0x2000, 0x200A))
    for code in range(first, last + 1)
} | dict.fromkeys((0xA0, 0x202F, 0x205F, 0x3000), " ")

_SPECIAL_TOKEN = re.compile(
    r"<(?=/?(?:s|pad|unk(?:_\d+)?|mask(?:_\d)?|extra_id_\d+|0x[0-9A-Fa-f]{2})>)"
)

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


def has_visible_text(text: str) -> bool:
    """Return whether the text has a character to be seen."""
    return _VISIBLE.search(text) is not None


def has_surrogate(text: str) -> bool:
    """Return whether the text has half of a surrogate pair, which no tokenizer accepts."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def tokenizer_text(text: str) -> str:
    """Return the text for a tokenizer: nothing invisible, and no special tokens.

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
