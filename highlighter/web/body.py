"""A body's bytes, decompressed as they arrive and never beyond a limit."""

import zlib
from collections.abc import Iterable

from highlighter.web.errors import PageNotHtmlError, PageTooLargeError, UrlUnreachableError

_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's `wbits`


def read_body(chunks: Iterable[bytes], codings: list[str], max_bytes: int) -> bytes:
    """The whole body, without its content coding.

    Args:
        chunks: the body as it arrives; not read further once the limit is passed.
        codings: values of the Content-Encoding headers.
        max_bytes: what the result may hold at most.

    Raises:
        PageNotHtmlError: a coding other than gzip or deflate, or several.
        PageTooLargeError: over the limit.
        UrlUnreachableError: damaged.
    """
    names = [name.strip().lower() for value in codings for name in value.split(",")]
    names = [name for name in names if name not in {"", "identity"}]
    if names in (["gzip"], ["x-gzip"]):
        chunks = _inflate(chunks, max_bytes, gzip=True)
    elif names == ["deflate"]:
        chunks = _inflate(chunks, max_bytes, gzip=False)
    elif names:
        raise PageNotHtmlError(
            "The page is compressed in a way that was not asked for: send the article's text."
        )
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise too_large(max_bytes)
    return bytes(body)


def too_large(max_bytes: int) -> PageTooLargeError:
    """The error for a body over the limit."""
    return PageTooLargeError(f"The page is over {max_bytes} bytes: send the article's text.")


def _inflate(chunks: Iterable[bytes], max_bytes: int, *, gzip: bool) -> Iterable[bytes]:
    """Decompressed pieces, of which none inflates past the limit."""
    stream: zlib._Decompress | None = None
    data = b""
    try:
        for chunk in chunks:
            data += chunk
            if len(data) < 2 and stream is None:
                continue  # two bytes tell zlib's header from none
            stream = stream or zlib.decompressobj(_GZIP if gzip else _deflate_form(data))
            while data:
                yield stream.decompress(data, max_bytes + 1)
                data = stream.unconsumed_tail
                if stream.eof:
                    data = stream.unused_data
                    if data and not (gzip and data.startswith(b"\x1f")):
                        return  # what follows is no further member
                    if data:
                        stream = zlib.decompressobj(_GZIP)
    except zlib.error as error:
        raise _damaged() from error
    if stream is None or not stream.eof:
        raise _damaged()  # cut off


def _deflate_form(data: bytes) -> int:
    """Servers send deflate with zlib's header, as the standard says, or without."""
    has_header = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return _ZLIB if has_header else _RAW


def _damaged() -> UrlUnreachableError:
    return UrlUnreachableError(
        "The page arrived damaged: try again later, or send the article's text."
    )
