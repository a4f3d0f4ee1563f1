"""Open text files that may be compressed, and in UTF-8 or UTF-16."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import pyarrow as pa

from highlighter.errors import CorpusError

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def content_suffix(path: Path) -> str:
    """Return the lower-case suffix of a file, or of what is compressed in it.

    Raises:
        CorpusError: a zip archive does not have exactly one file.
    """
    compression = path.suffix.lower()
    if compression not in _COMPRESSED:
        return compression
    if compression == ".zip":
        with zipfile.ZipFile(path) as archive:
            return Path(_only_member(archive, path)).suffix.lower()
    return Path(path.stem).suffix.lower()


def open_text(path: Path, newline: str | None = None) -> TextIO:
    r"""Open a text file; bytes that are not UTF-8 become lone surrogates ("\udc80" to "\udcff").

    Raises:
        CorpusError: a zip archive does not have exactly one file.
    """
    stream = io.BufferedReader(cast(io.RawIOBase, _open_binary(path)))
    head = stream.peek(512)[:512]
    errors = "strict" if "16" in _encoding(head) else "surrogateescape"
    return io.TextIOWrapper(stream, encoding=_encoding(head), errors=errors, newline=newline)


def _open_binary(path: Path) -> BinaryIO:
    match path.suffix.lower():
        case ".gz":
            return cast(BinaryIO, gzip.open(path))
        case ".bz2":
            return cast(BinaryIO, bz2.open(path))
        case ".xz":
            return cast(BinaryIO, lzma.open(path))
        case ".zst":
            return cast(BinaryIO, pa.input_stream(str(path), compression="zstd"))
        case ".zip":
            archive = zipfile.ZipFile(path)
            return cast(BinaryIO, archive.open(_only_member(archive, path)))
    return path.open("rb")


def _only_member(archive: zipfile.ZipFile, path: Path) -> str:
    names = [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.startswith("__MACOSX/")
    ]
    if len(names) != 1:
        raise CorpusError(f"{path}: it holds {len(names)} files. Pack a single one.")
    return names[0]


def _encoding(head: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if 2 * head[1::2].count(0) > len(head[1::2]):
        return "utf-16-le"
    if 2 * head[::2].count(0) > len(head[::2]):
        return "utf-16-be"
    return "utf-8"
