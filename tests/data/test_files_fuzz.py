"""Any file gives its rows, rows that are reported by line, or an error that names the file."""

import csv
import decimal
import gzip
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from highlighter.data.files import read_rows
from highlighter.errors import CorpusError
from highlighter.settings import Columns

Row = tuple[int, str | None, str | None, str]

_WORDS = st.lists(
    st.sampled_from(
        ["The mayor", "said", '"no"', "it's", "é", "日本", "£1,4", ";", "|", "a\tb", "'", "\\n",
         "\\", "\n", "\r\n", "5 May,", "= 3", "#", "NaN", "{}", "[1]", "😀",
         "\u2028", "\u00ad", "<p>"]
    ),
    min_size=1,
    max_size=12,
).map(" ".join)  # fmt: skip


def read(file: Path) -> list[Row]:
    """Return a file's rows; fail if that takes more than a moment or the lines are not in order."""
    start = time.process_time()
    rows = [
        (row["row"], row["article"], row["highlights"], row["problem"])
        for row in read_rows(str(file), Columns(id="id"))
    ]
    assert time.process_time() - start < 5
    numbers = [number for number, *_ in rows]
    assert numbers == (sorted(numbers) if "json" in file.suffix else sorted(set(numbers)))
    return rows


def read_or_refuse(file: Path) -> list[Row]:
    """Return a file's rows, or none if it is refused with a message that names it."""
    try:
        return read(file)
    except CorpusError as error:
        assert str(error).startswith(str(file)) and len(str(error)) > len(str(file)) + 20
        return []


def require_nothing_lost(rows: list[Row], written: list[tuple[str, str]]) -> None:
    """Fail if a row is joined, made up, out of order, or gone without a report in its place."""
    position = 0
    reported = False
    for _, article, highlights, problem in rows:
        if problem:
            reported = True
            continue
        assert article is not None and highlights is not None
        found = written.index((article, highlights), position)
        assert found == position or reported
        position, reported = found + 1, False
    assert position == len(written) or reported


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def numbered(texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return texts of which no two are the same."""
    return [
        (f"{n}: {article}", f"{n}: {highlights}") for n, (article, highlights) in enumerate(texts)
    ]


_TEXTS = st.lists(st.tuples(_WORDS, _WORDS), min_size=1, max_size=8).map(numbered)


# --- CSV ------------------------------------------------------------------------------------------


@given(
    written=_TEXTS,
    delimiter=st.sampled_from(",;\t|~^\x01"),
    line_break=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    first=st.sampled_from(["", "\n", "sep={}\n"]),
    backslash=st.booleans(),
)
def test_csv_of_any_dialect_loses_no_row(
    folder: Path,
    written: list[tuple[str, str]],
    delimiter: str,
    line_break: str,
    quoting: int,
    encoding: str,
    first: str,
    backslash: bool,
) -> None:
    if backslash:  # doubled or not, one is kept as it is: "C:\\new"
        written = [(a.replace("\\", "/"), h.replace("\\", "/")) for a, h in written]
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator=line_break,
        quoting=quoting,
        doublequote=not backslash,
        escapechar="\\" if backslash else None,
    )
    rows = [(n, *texts) for n, texts in enumerate(written)]
    writer.writerows([("id", "article", "highlights"), *rows])
    file = folder / "dialect.csv"
    file.write_bytes((first.format(delimiter) + text.getvalue()).encode(encoding))
    try:
        found = read(file)
    except CorpusError as error:
        assert "unreadable (line" in str(error)
        return
    require_nothing_lost(found, written)


_BYTES = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [b"article", b"highlights", b",", b'"', b"\n", b"\r", b"\\", b" ", b"\0", b"\xff",
             b"\xfe", b"\xe9", b"{", b"}", b"[", b"]", b":", b"null", b"9" * 5000, b"[" * 3000,
             b"NaN",
             b'{"article": "a b.", "highlights": "c."}', b'"id"', b"1e999", b"\\ud800", b"id,",
             b"\xef\xbb\xbf"]
        ),
        max_size=40,
    ).map(b"".join),
)  # fmt: skip


@given(_BYTES, st.sampled_from([b"", b"article,highlights\n", b"id;article;highlights\r\n"]))
def test_any_bytes_as_csv(folder: Path, content: bytes, header: bytes) -> None:
    file = folder / "bytes.csv"
    file.write_bytes(header + content)
    read_or_refuse(file)


@pytest.mark.parametrize(
    "line",
    ['"', '"a"b', 'a,"b', "a", '"a,b', ",", 'x","', '\\"', '"\\"', 'a, "b', '""",', "a,b,c", "\r"],
)
def test_a_long_file_of_broken_rows_takes_linear_time(folder: Path, line: str) -> None:
    file = folder / "long.csv"
    file.write_text("article,highlights\n" + f"{line}\n" * 8_000)
    read_or_refuse(file)


# --- JSON -----------------------------------------------------------------------------------------

_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        _WORDS,
        st.sampled_from(["nan", "['a', 'b']", '["a"]', "\ud800"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["article", "highlights", "id", "0", "1", "data", "columns", "text"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


def _layouts(rows: list[dict[str, Any]]) -> list[str]:
    names = list(rows[0])
    columns = {name: [row[name] for row in rows] for name in names}
    return [
        "\n".join(map(json.dumps, rows)),
        "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
        "\n\n".join(map(json.dumps, rows)) + "\n",
        json.dumps(rows),
        json.dumps(rows, indent=2),
        "\n".join(json.dumps(row, indent=1) for row in rows),
        "".join(map(json.dumps, rows)),
        ",\n".join(map(json.dumps, rows)),
        json.dumps({"data": rows}),
        json.dumps({"version": 2, "rows": rows}, indent=1),
        json.dumps(columns),
        json.dumps({name: dict(enumerate(part)) for name, part in columns.items()}, indent=1),
        json.dumps(dict(enumerate(rows))),
        json.dumps({"columns": names, "index": [], "data": [list(row.values()) for row in rows]}),
    ]


@given(_TEXTS, st.integers(0, 13), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_json_of_any_layout_loses_no_row(
    folder: Path, written: list[tuple[str, str]], layout: int, encoding: str
) -> None:
    rows = [{"id": n, "article": a, "highlights": h} for n, (a, h) in enumerate(written)]
    file = folder / "layout.json"
    file.write_bytes(_layouts(rows)[layout].encode(encoding))
    found = read(file)
    assert [row[1:] for row in found] == [(a, h, "") for a, h in written]


@given(st.lists(_JSON, max_size=4), st.sampled_from(["\n", "", ",", "\n,"]), st.booleans())
def test_any_values_as_json(folder: Path, values: list[Any], between: str, pretty: bool) -> None:
    file = folder / "values.jsonl"
    file.write_text(
        between.join(json.dumps(value, indent=1 if pretty else None) for value in values)
    )
    for _, article, highlights, problem in read_or_refuse(file):
        assert problem or isinstance(article, str) and isinstance(highlights, str)


@given(_BYTES)
@example(b'{"article": "a", "highlights": "b", "id": ' + b"9" * 5000 + b"}")
@example(b"[" * 100_000)
@example(b'{"article":' * 100_000)
def test_any_bytes_as_json(folder: Path, content: bytes) -> None:
    file = folder / "bytes.json"
    file.write_bytes(content)
    read_or_refuse(file)


# --- parquet and compressed files -----------------------------------------------------------------

_TYPES = [
    pa.string(), pa.large_string(), pa.string_view(), pa.binary(),
    pa.dictionary(pa.int32(), pa.string()), pa.list_(pa.string()),
    pa.large_list(pa.string()), pa.list_(pa.list_(pa.string())), pa.null(),
    pa.int64(), pa.float32(), pa.bool_(), pa.timestamp("ns"), pa.timestamp("us", "Europe/Paris"),
    pa.date32(), pa.date64(), pa.time64("ns"), pa.duration("us"), pa.decimal128(9, 2),
    pa.struct([("text", pa.string())]), pa.map_(pa.string(), pa.string()),
]  # fmt: skip


_AS_VALUE: dict[str, Callable[[str], Any]] = {
    "null": lambda text: None,
    "binary": str.encode,
    "struct<text: string>": lambda text: {"text": text},
    "map<string, string>": lambda text: [(text, text)],
    str(pa.list_(pa.string())): lambda text: [text, text],
    str(pa.large_list(pa.string())): lambda text: [text, text],
    str(pa.list_(pa.list_(pa.string()))): lambda text: [[text]],
    "int64": len,
    "float": lambda text: len(text) / 3,
    "bool": lambda text: len(text) % 2 == 0,
    "decimal128(9, 2)": lambda text: decimal.Decimal(len(text)),
}


def _values(kind: pa.DataType, texts: list[str], seed: int) -> pa.Array:
    """Return texts, or what else a type holds; times are of any year."""
    if pa.types.is_dictionary(kind):
        return pa.array(texts).dictionary_encode()
    if not pa.types.is_temporal(kind):
        return pa.array([_AS_VALUE.get(str(kind), str)(text) for text in texts], kind)
    number = seed * 2**22
    if pa.types.is_date(kind) or pa.types.is_time(kind):
        number = seed % 10**6 * (86_400_000 if pa.types.is_date64(kind) else 1)
    width = pa.int32() if kind.bit_width == 32 else pa.int64()
    return pa.array([number] * len(texts), width).view(kind)


@given(
    written=_TEXTS,
    kinds=st.tuples(*[st.sampled_from(_TYPES)] * 3),
    seed=st.integers(0, 2**40),
    size=st.integers(1, 9),
    compression=st.sampled_from(["none", "snappy", "gzip", "zstd", "brotli"]),
)
def test_parquet_of_any_column_types(
    folder: Path,
    written: list[tuple[str, str]],
    kinds: tuple[pa.DataType, pa.DataType, pa.DataType],
    seed: int,
    size: int,
    compression: str,
) -> None:
    columns = [[str(n) for n in range(len(written))], *map(list, zip(*written, strict=True))]
    arrays = [_values(kind, texts, seed) for kind, texts in zip(kinds, columns, strict=True)]
    file = folder / "types.parquet"
    table = pa.Table.from_arrays(arrays, ["id", "article", "highlights"])
    pq.write_table(table, file, row_group_size=size, compression=compression)
    rows = read(file)
    assert [number for number, *_ in rows] == list(range(1, len(written) + 1))
    plain = {str(kind) for kind in _TYPES[:5]}
    if {str(kinds[1]), str(kinds[2])} <= plain:
        assert [row[1:] for row in rows] == [(a, h, "") for a, h in written]


@given(st.integers(0, 2**32), st.integers(1, 12), st.booleans(), st.binary(min_size=1, max_size=4))
def test_damaged_parquet(folder: Path, at: int, length: int, cut: bool, noise: bytes) -> None:
    table = pa.table({"article": ["One two.", "Three."] * 20, "highlights": ["One.", "Two."] * 20})
    stream = io.BytesIO()
    pq.write_table(table, stream)
    content = stream.getvalue()
    start = at % len(content)
    rest = b"" if cut else (noise * length)[:length] + content[start + length :]
    file = folder / "damaged.parquet"
    file.write_bytes(content[:start] + rest)
    read_or_refuse(file)


@given(st.sampled_from([".gz", ".bz2", ".xz", ".zst", ".zip"]), _BYTES)
def test_any_bytes_as_a_compressed_file(folder: Path, suffix: str, content: bytes) -> None:
    file = folder / f"bytes.csv{suffix}"
    file.write_bytes(content)
    read_or_refuse(file)


@given(st.integers(0, 10**6), st.binary(max_size=3))
def test_a_damaged_gzip_file_is_never_read_as_if_it_were_whole(
    folder: Path, at: int, noise: bytes
) -> None:
    text = "article,highlights\n" + "".join(f'"One two {n}.",{n}.\n' for n in range(99))
    content = gzip.compress(text.encode(), mtime=0)
    start = at % len(content)
    damaged = content[:start] + noise + content[start + len(noise) :]
    file = folder / "damaged.csv.gz"
    file.write_bytes(damaged if noise else content[:start])
    if not read_or_refuse(file):
        return
    assert gzip.decompress(file.read_bytes()) == text.encode()
