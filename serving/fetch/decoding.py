"""A page's text from the bytes that a server sent: content coding, then charset."""

import codecs
import contextlib
import gzip
import io
import re
import zlib
from collections.abc import Sequence

from serving.fetch.errors import PageNotHtmlError, PageTooLargeError, UrlUnreachableError

_CODINGS = frozenset(
    ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz"]
)
_ZLIB, _RAW = 15, -15  # zlib's `wbits` for deflate with and without zlib's header


def decompress(body: bytes, codings: Sequence[str], max_bytes: int) -> bytes:
    """Return a body without its content coding.

    Args:
        body: as received.
        codings: values of the Content-Encoding headers; names that are no codings are ignored.
        max_bytes: size of the result at most; memory stays within about twice that.

    Raises:
        PageNotHtmlError: a coding other than gzip or deflate, or several.
        PageTooLargeError: the result is larger.
        UrlUnreachableError: the body is damaged.
    """
    names = [name.strip().lower() for value in codings for name in value.split(",")]
    names = [name for name in names if name in _CODINGS]  # browsers ignore all others: "utf-8"
    try:
        if names in (["gzip"], ["x-gzip"]):
            if not body:
                raise EOFError
            body = gzip.GzipFile(fileobj=io.BytesIO(body)).read(max_bytes + 1)
        elif names == ["deflate"]:
            body = _inflate(body, max_bytes)
        elif names:
            raise PageNotHtmlError(
                "The page is compressed in a way that was not asked for: send the article's text."
            )
    except (EOFError, OSError, zlib.error) as error:
        raise _damaged() from error
    require_size(len(body), max_bytes)
    return body


def require_size(size: int, max_bytes: int) -> None:
    """Raise PageTooLargeError if a page of this size, in bytes, is over the limit."""
    if size > max_bytes:
        raise PageTooLargeError(f"The page is over {max_bytes} bytes: send the article's text.")


def _inflate(body: bytes, max_bytes: int) -> bytes:
    # Servers send deflate with zlib's header, as the standard says, or without.
    has_header = len(body) >= 2 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    stream = zlib.decompressobj(_ZLIB if has_header else _RAW)
    text = stream.decompress(body, max_bytes + 1)
    if not stream.eof and len(text) <= max_bytes:
        raise _damaged()  # cut off
    return text


def _damaged() -> UrlUnreachableError:
    return UrlUnreachableError(
        "The page arrived damaged: try again later, or send the article's text."
    )


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xff\xfe", "utf-16-le"),
)
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:+-]+)", re.ASCII | re.IGNORECASE)
_IN_XML = re.compile(rb"\s*<\?xml[^>]{1,40}encoding\s*=\s*[\"']([\w.:+-]+)", re.IGNORECASE)
# What a page's declaration is looked for in: tags, not comments nor the text of these elements.
_MARKUP = re.compile(rb"<(?:(!--)|(?:(script|style|title|textarea|xmp)|(meta))\b)", re.IGNORECASE)
_MAX_ATTRIBUTES = 50
_ATTRIBUTE = re.compile(rb"[\s/]*([^\s=>\"'/]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']*)))?")
# Python's encoding by a label's letters and digits. As in browsers, a label means the largest
# encoding that contains it. Python's own lookup would accept slow encodings and cache every label.
_ENCODINGS = {
    "utf8": "utf-8", "utf16": "utf-16-le", "utf16le": "utf-16-le", "utf16be": "utf-16-be",
    "ascii": "cp1252", "usascii": "cp1252", "latin1": "cp1252", "iso88591": "cp1252",
    "latin5": "cp1254", "iso88599": "cp1254", "latin9": "iso8859-15", "latin2": "iso8859-2",
    **{f"windows{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"cp{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"iso8859{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "windows874": "cp874", "tis620": "cp874", "iso885911": "cp874", "ibm866": "cp866",
    "cp866": "cp866", "koi8r": "koi8-r", "koi8u": "koi8-u", "macintosh": "mac-roman",
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs",
    "big5hkscs": "big5hkscs", "eucjp": "euc_jp", "iso2022jp": "iso2022_jp", "shiftjis": "cp932",
    "sjis": "cp932", "xsjis": "cp932", "windows31j": "cp932", "euckr": "cp949",
    "ksc56011987": "cp949",
}  # fmt: skip
_NO_LETTER = re.compile(r"[^a-z0-9]")
# Encodings whose bytes can look like UTF-8, and a byte that pages in them contain.
_MARKER = {"iso2022_jp": b"\x1b", "utf-16-le": b"\0", "utf-16-be": b"\0"}


def decode_page(body: bytes, content_type: str) -> str:
    """Return the text of a page, given its bytes and its Content-Type header.

    The encoding is, in this order: that of a byte order mark; a declared encoding whose bytes look
    like ASCII; UTF-8, if the bytes are valid; the declared encoding, if it decodes more characters
    beyond ASCII than it fails on; windows-1252, as in browsers. The header's declaration precedes
    the page's, except for ISO-8859-1, which many servers send with every page.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    in_header = _IN_HEADER.search(content_type)
    declared = [name for name in [_encoding(in_header[1])] if name] if in_header else []
    in_page = [name for name in map(_encoding, _labels_in_page(body)) if name]
    declared = in_page + declared if declared == ["cp1252"] else declared + in_page
    for encoding in declared:
        if encoding in _MARKER and _MARKER[encoding] in body:
            return body.decode(encoding, "replace")
    with contextlib.suppress(UnicodeDecodeError):
        return body.decode("utf-8")
    for encoding in (*declared, "utf-8"):
        if _decodes(body, encoding):
            return body.decode(encoding, "replace")
    return body.decode("cp1252", "replace")


def _encoding(label: str) -> str | None:
    return _ENCODINGS.get(_NO_LETTER.sub("", label.lower()))


def _labels_in_page(body: bytes) -> list[str]:
    """Return the charsets that an XML declaration and `meta` elements declare, in order."""
    in_xml = _IN_XML.match(body)
    labels = [in_xml[1]] if in_xml else []
    position = 0
    while found := _MARKUP.search(body, position):
        position = found.end()
        comment, element, _ = found.groups()
        if comment or element:
            end = b"-->" if comment else b"</" + element
            position = _find(body, end, position)
        else:
            attributes, position = _attributes(body, position)
            content = attributes.get(b"content", b"").decode("ascii", "ignore")
            if b"charset" in attributes:
                labels.append(attributes[b"charset"].strip())
            elif attributes.get(b"http-equiv", b"").strip().lower() == b"content-type":
                labels += [match[1].encode() for match in [_IN_HEADER.search(content)] if match]
    return [label.decode("ascii", "ignore") for label in labels]


def _find(body: bytes, end: bytes, position: int) -> int:
    """Return where a comment or an element's text ends, in a page in any case of letters."""
    found = re.compile(re.escape(end), re.IGNORECASE).search(body, position)
    return found.end() if found else len(body)


def _attributes(body: bytes, position: int) -> tuple[dict[bytes, bytes], int]:
    attributes: dict[bytes, bytes] = {}
    while len(attributes) < _MAX_ATTRIBUTES and (found := _ATTRIBUTE.match(body, position)):
        value = next((group for group in found.groups()[1:] if group is not None), b"")
        attributes.setdefault(found[1].lower(), value)
        position = found.end()
    return attributes, position


def _decodes(body: bytes, encoding: str) -> bool:
    text = body.decode(encoding, "replace")
    failed = text.count("\ufffd")
    return failed == 0 or len(text) - len(text.encode("ascii", "ignore")) >= 2 * failed
