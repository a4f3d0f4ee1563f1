"""Data files at addresses (https://, s3://, gs://, hf://, …), read from local copies."""

import hashlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote

import fsspec

from highlighter.errors import CorpusError, without_keys

# What file systems call a file's version; with none of them, a file is downloaded again each time.
_VERSIONS = frozenset(
    ["etag", "content-md5", "digest", "last-modified", "lastmodified", "md5hash", "generation"]
    + ["mtime", "updated", "created", "blob_id"]
)
_PROBED = 256  # bytes at the start of a file that show whether it is a web page
_WEB_PAGE = (b"<!doctype html", b"<html")


def is_address(name: str) -> bool:
    """Return whether a data file is named by an address instead of a path."""
    return "://" in name


def matching_addresses(pattern: str) -> list[str]:
    """Return the address itself, or the addresses that match a pattern such as `s3://b/train-*.csv`.

    Raises:
        CorpusError: no file matches, a package is missing, or the server refuses.
    """
    if "*" not in shown(pattern):
        return [pattern]
    with explained(pattern):
        files, path = fsspec.core.url_to_fs(pattern, **_options(pattern))
        found = sorted(str(files.unstrip_protocol(name)) for name in files.glob(path))
    if not found:
        raise CorpusError(f"{shown(pattern)}: no file matches. Check the address.")
    return found


def local_copy(address: str, folder: Path) -> Path:
    """Return a copy of a remote file with the file's name; it is downloaded if it is not current.

    Args:
        address: of one file.
        folder: copies of earlier runs are there.

    Raises:
        CorpusError: the file does not exist or cannot be read, or a package is missing.
    """
    with explained(address):
        files, path = fsspec.core.url_to_fs(address, **_options(address))
        info = files.info(path)
        version = {key: str(info[key]) for key in sorted(info) if key.lower() in _VERSIONS}
        key = hashlib.sha256(repr((address, info.get("size"), version)).encode()).hexdigest()[:16]
        copy = folder / key / (PurePosixPath(shown(address)).name or "data")
        if not (version and copy.is_file()):
            copy.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=copy.parent) as place:
                part = Path(place) / copy.name
                files.get_file(path, str(part))
                os.replace(part, copy)  # noqa: PTH105  # an interrupted download leaves no copy
    with copy.open("rb") as stream:
        if stream.read(_PROBED).lstrip().lower().startswith(_WEB_PAGE):
            raise CorpusError(
                f"{shown(address)}: a web page, not a data file. Give the address of the download "
                "(on the hub: /resolve/ instead of /blob/)."
            )
    return copy


def shown(address: str) -> str:
    """Return an address for messages: without a password and a query, which may hold a key."""
    start, _, _ = address.partition("?")  # also if it has spaces
    return without_keys(start)


def _options(address: str) -> dict[str, Any]:
    # The proxies of the environment, which aiohttp ignores unless told otherwise.
    return {"client_kwargs": {"trust_env": True}} if address.startswith("http") else {}


@contextmanager
def explained(address: str, use: str = "read") -> Iterator[None]:
    """Raise what a file system raises as a CorpusError: each has errors of its own.

    Args:
        address: what is accessed.
        use: the participle of what is done with it.
    """
    name = shown(address)
    try:
        yield
    except ImportError as error:
        raise CorpusError(
            f"{name}: {error}. Install that package next to this project, or download the file and "
            "name its path."
        ) from error
    except Exception as error:
        # fsspec's HTTP raises FileNotFoundError for every failure, because of the true one.
        cause = error.__cause__ or error
        if isinstance(cause, FileNotFoundError) or getattr(cause, "status", None) == 404:
            raise CorpusError(f"{name}: no such file. Check the address.") from error
        if isinstance(cause, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(cause):
            raise CorpusError(
                f"{name}: the server's certificate is not trusted ({_reason(address, cause)}). If "
                "it is your organization's, name the file of its certificates (PEM): "
                "SSL_CERT_FILE=FILE."
            ) from error
        reason = _reason(address, cause)
        raise CorpusError(
            f"{name}: could not be {use} ({type(cause).__name__}: {reason}). Check the address, "
            "the network and the credentials of this kind of storage."
        ) from error


def _reason(address: str, error: BaseException) -> str:
    """Return a message without the address's keys, in one line."""
    start, _, query = address.partition("?")
    user = start.partition("://")[2].rpartition("@")[0]
    keys = {query, user, user.rpartition(":")[2], *(value for _, value in parse_qsl(query))}
    message = str(error).replace(address, shown(address))
    for key in sorted(filter(None, keys | set(map(unquote, keys))), key=len, reverse=True):
        message = message.replace(key, "...") if len(key) > 3 else message
    return " ".join(without_keys(message).split())[:300]
