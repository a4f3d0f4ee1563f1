"""Data files at addresses: read from copies that are current, or refused with the reason."""

import functools
import gzip
import http.server
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import datasets
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from highlighter.data.remote import local_copy, matching_addresses, shown
from highlighter.data.sources import fingerprint_source, load_splits
from highlighter.errors import CorpusError
from highlighter.settings import FileSource

ROWS = [
    {"article": f"The ferry sails {number} times a day, the board said.", "highlights": "It sails."}
    for number in range(20)
]


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...

    def send_header(self, keyword: str, value: str) -> None:
        if not (keyword == "Last-Modified" and "unversioned" in self.path):
            super().send_header(keyword, value)

    def do_HEAD(self) -> None:
        if "forbidden" in self.path:
            self.send_error(403)
        else:
            super().do_HEAD()

    def do_GET(self) -> None:
        if "forbidden" in self.path:
            self.send_error(403)
            return
        self.server.requests.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()


class Site:
    """A folder behind a local server."""

    def __init__(self, folder: Path, server: http.server.ThreadingHTTPServer) -> None:
        self.folder = folder
        self.requests: list[str] = server.requests  # type: ignore[attr-defined]
        self._root = f"http://127.0.0.1:{server.server_port}"

    def put(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return f"{self._root}/{name}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(datasets.config, "DOWNLOADED_DATASETS_PATH", tmp_path / "downloads")
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.requests = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield Site(folder, server)
        server.shutdown()


def json_lines(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(rows: list[dict[str, str]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def articles(address: str, folder: Path) -> list[str]:
    splits = load_splits(FileSource(kind="files", all=address), 1, folder)
    return sorted(article for rows in splits.values() for article in rows["article"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", json_lines(ROWS)),
        ("rows.jsonl.gz", gzip.compress(json_lines(ROWS), mtime=0)),
        ("rows.json.zst", pa.Codec("zstd").compress(json.dumps(ROWS).encode(), asbytes=True)),
        ("rows.zip", zipped("rows.jsonl", json_lines(ROWS))),
        ("rows.parquet", parquet(ROWS)),
        ("r%C3%A4ws.jsonl", json_lines(ROWS)),
    ],
    ids=["json lines", "gzip", "zstandard", "zip", "parquet", "encoded name"],
)
def test_files_of_every_kind_are_read(
    site: Site, tmp_path: Path, name: str, content: bytes
) -> None:
    address = site.put(name.replace("%C3%A4", "ä"), content)
    assert articles(address, tmp_path / "cache") == sorted(row["article"] for row in ROWS)


def test_rows_and_errors_name_the_address(site: Site, tmp_path: Path) -> None:
    address = site.put("rows.jsonl", json_lines(ROWS) + b'{"article": "cut off\n')
    source = FileSource(kind="files", all=f"{address}?key=secret")
    splits = load_splits(source, 1, tmp_path / "cache")
    assert {file for rows in splits.values() for file in rows["file"]} == {address}
    broken = site.put("broken.csv", b"title,text\na,b\n")
    with pytest.raises(CorpusError, match=f"^{broken}: no column"):
        articles(broken, tmp_path / "cache")


def test_a_pattern_names_files_of_a_listing_and_of_a_bucket(site: Site, tmp_path: Path) -> None:
    for part in (1, 0):
        address = site.put(f"part-{part}.parquet", parquet(ROWS[10 * part : 10 * part + 10]))
    site.put("other.parquet", b"")
    pattern = address.replace("part-0", "part-*")
    assert matching_addresses(pattern) == [pattern.replace("*", part) for part in "01"]
    assert len(articles(pattern, tmp_path / "cache")) == 20

    bucket = fsspec.filesystem("memory")
    for part in (1, 0):
        bucket.pipe_file(f"/remote-test/part-{part}.jsonl", json_lines(ROWS[10 * part :][:10]))
    try:
        assert len(articles("memory://remote-test/part-*.jsonl", tmp_path / "cache2")) == 20
        with pytest.raises(CorpusError, match="no file matches"):
            matching_addresses("memory://remote-test/*.csv")
    finally:
        bucket.rm("/remote-test", recursive=True)


@pytest.mark.parametrize("name", ["rows.jsonl", "unversioned.jsonl"])
def test_a_copy_is_reused_as_long_as_it_is_known_to_be_current(
    site: Site, tmp_path: Path, name: str
) -> None:
    address = site.put(name, json_lines(ROWS))
    os.utime(site.folder / name, (1, 1))
    source = FileSource(kind="files", all=address)
    first = fingerprint_source(source)
    assert fingerprint_source(source) == first
    assert len(site.requests) == (2 if "unversioned" in name else 1)
    changed = json_lines([*ROWS[:-1], ROWS[0] | {"highlights": "It sank."}])
    site.put(name, changed)
    assert fingerprint_source(source) != first
    # The content counts, not the place.
    local = tmp_path / "rows.jsonl"
    local.write_bytes(changed)
    assert fingerprint_source(source) == fingerprint_source(
        FileSource(kind="files", all=str(local))
    )


def test_what_cannot_be_read_is_refused_with_the_reason(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = site.put("blob.parquet", b"\n<!DOCTYPE html><title>rows.parquet</title>")
    nowhere = page.replace("blob", "missing")
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    for address, reason in (
        (page, "a web page, not a data file"),
        (nowhere, "no such file"),
        (page.replace("blob", "forbidden"), "could not be read .*403.*credentials"),
        ("http://user:secret@127.0.0.1:1/rows.csv?key=secret", "could not be read .*network"),
        ("nonsense://bucket/rows.csv", "could not be read .*nonsense"),
        ("gs://bucket/rows.csv", "install gcsfs.*next to this project"),
        ("gs://bucket/*.csv", "install gcsfs"),
    ):
        with pytest.raises(CorpusError, match=f"(?i){reason}") as caught:
            fingerprint_source(FileSource(kind="files", all=address))
        assert str(caught.value).startswith(shown(address))
        assert "secret" not in str(caught.value)


def test_an_interrupted_download_leaves_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = fsspec.filesystem("memory")
    bucket.pipe_file("/remote-cut/rows.jsonl", json_lines(ROWS))

    def cut(_: str, place: str) -> None:
        Path(place).write_bytes(b"half")
        raise OSError("connection lost")

    try:
        with monkeypatch.context() as broken:
            broken.setattr(type(bucket), "get_file", lambda _, path, place: cut(path, place))
            with pytest.raises(CorpusError, match="connection lost"):
                local_copy("memory://remote-cut/rows.jsonl", tmp_path)
        copy = local_copy("memory://remote-cut/rows.jsonl", tmp_path)
        assert copy.read_bytes() == json_lines(ROWS)
    finally:
        bucket.rm("/remote-cut", recursive=True)


@pytest.mark.parametrize(
    "address",
    [
        "https://me:SECRET@127.0.0.1:1/a b.csv?X-Amz-Signature=SECRET%2F1",
        "ftp://me:SECRET@127.0.0.1:1/a.csv",
        "s3://key:SECRET@bucket/a.csv",
        "https://[bad/a.csv?sig=SECRET",
        "nonsense://me:SECRET@host/a.csv",
        "https://127.0.0.1:1/*.csv?sig=SECRET",
    ],
)
def test_no_message_has_the_keys_of_an_address(address: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="could not be read|nstall") as caught:
        for name in matching_addresses(address):
            local_copy(name, tmp_path)
    assert "SECRET" not in str(caught.value)


def test_a_certificate_that_is_not_trusted(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.serving.fetch.test_tls import Authority

    authority = Authority(tmp_path)
    handler = functools.partial(Handler, directory=str(site.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.requests = []  # type: ignore[attr-defined]
        server.socket = authority.context("localhost").wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        site.put("rows.jsonl", json_lines(ROWS))
        address = f"https://localhost:{server.server_port}/rows.jsonl"
        with pytest.raises(CorpusError, match="certificate is not trusted .*SSL_CERT_FILE=FILE"):
            local_copy(address, tmp_path)
        # The variable is read when aiohttp is imported.
        code = (
            "import sys, pathlib; from highlighter.data.remote import local_copy; "
            "print(local_copy(sys.argv[1], pathlib.Path(sys.argv[2])).read_text())"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, address, str(tmp_path)],
            env=os.environ | {"SSL_CERT_FILE": str(authority.file)},
            capture_output=True,
            text=True,
            check=True,
        )
        server.shutdown()
    assert done.stdout.encode().strip() == json_lines(ROWS).strip()


def test_a_password_and_a_query_are_not_shown() -> None:
    assert shown("https://me:secret@h.org:8/a.csv?X-Amz-Signature=b") == "https://h.org:8/a.csv"
    assert shown("s3://bucket/a-*.csv") == "s3://bucket/a-*.csv"
