"""Files as people report them to the projects of other readers: read, or refused with the cause."""

import gzip
import io
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from highlighter.data.files import read_rows
from highlighter.errors import CorpusError
from highlighter.settings import Columns

A = "The ferry to Osdon, which was late, will sail again in May. Repairs cost 1.4 million pounds."
B = "A court in Osdon stopped the plan for a copper mine on Friday."
ROWS = [(A, "Ferry back in May."), (B, "Court stops mine.")]
OBJECTS = [{"article": a, "highlights": h} for a, h in ROWS]
SPLIT = {"columns": ["article", "highlights"], "index": [0, 1], "data": [list(row) for row in ROWS]}
CSV = "article,highlights\n" + "".join(f'"{a}",{h}\n' for a, h in ROWS)
LINES = "\n".join(map(json.dumps, OBJECTS))


def parquet(columns: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(
        columns if isinstance(columns, pa.Table) else pa.table(columns), stream, **options
    )
    return stream.getvalue()


def columns(**more: Any) -> dict[str, Any]:
    return {"article": [a for a, _ in ROWS], "highlights": [h for _, h in ROWS], **more}


def _as_bytes(texts: list[str]) -> pa.Array:
    return pa.array([text.encode() for text in texts])


def _read_files() -> Iterator[tuple[str, str, str | bytes]]:
    """Yield what a file is like, its name and its content; each has ROWS."""
    # Spark and Hive: pandas-dev/pandas#39440, apache/arrow#21512; Excel: pandas-dev/pandas#25027
    yield "blank lines before the header", "a.csv", "\n \n" + CSV
    yield "blank lines between rows", "a.csv", CSV.replace("\n", "\n\n")
    yield (
        "all fields with spaces",
        "a.csv",
        "article, highlights\n" + "".join(f'"{a}", "{h}"\n' for a, h in ROWS),
    )
    for mark, name in {
        "~": "tilde",
        "^": "caret",
        "\x01": "Hive's Ctrl-A",
        "\x1f": "unit separator",
        "§": "section",
        ":": "colon",
    }.items():
        yield (
            f"fields between {name}",
            "a.csv",
            CSV.replace('",', f'"{mark}').replace("le,h", f"le{mark}h"),
        )
    yield "two bars", "a.csv", "article||highlights\n" + "".join(f"{a}||{h}\n" for a, h in ROWS)
    yield "a comma at each line's end", "a.csv", CSV.replace("\n", ",\n")
    yield "no line break at the end", "a.csv", CSV.rstrip()
    yield "two carriage returns a line", "a.csv", CSV.replace("\n", "\r\r\n")
    yield "UTF-32", "a.csv", CSV.encode("utf-32")
    yield (
        "tabs in a file called csv",
        "a.csv",
        "article\thighlights\n" + "".join(f"{a}\t{h}\n" for a, h in ROWS),
    )
    yield "commas in a file called tsv", "a.tsv", CSV
    yield "upper-case suffix", "A.CSV", CSV
    yield (
        "a column more than needed",
        "a.csv",
        "n,article,highlights,url\n"
        + "".join(f'{n},"{a}",{h},\n' for n, (a, h) in enumerate(ROWS)),
    )
    # JSON of pandas: pandas-dev/pandas#4889, huggingface/datasets#3965
    yield (
        "pandas' columns",
        "a.json",
        json.dumps({k: dict(enumerate(v)) for k, v in columns().items()}),
    )
    yield (
        "pandas' columns with a missing title",
        "a.json",
        json.dumps({k: dict(enumerate(v)) for k, v in columns(title=[None, "x"]).items()}),
    )
    yield "pandas' index", "a.json", json.dumps(dict(enumerate(OBJECTS)))
    yield "pandas' split", "a.json", json.dumps(SPLIT)
    yield (
        "pandas' table",
        "a.json",
        json.dumps({"schema": {"fields": [{"name": "article"}]}, "data": OBJECTS}),
    )
    yield "columns as lists", "a.json", json.dumps(columns())
    yield "columns as lists, indented", "a.json", json.dumps(columns(), indent=4)
    yield "a comma at each line's end", "a.jsonl", ",\n".join(map(json.dumps, OBJECTS)) + ",\n"
    yield (
        "a comma before the end of the array",
        "a.json",
        "[" + ",".join(map(json.dumps, OBJECTS)) + ",]",
    )
    yield "objects without a line break", "a.jsonl", "".join(map(json.dumps, OBJECTS))
    yield "a byte order mark", "a.jsonl", "\ufeff" + LINES
    yield "UTF-16", "a.jsonl", LINES.encode("utf-16")
    yield "carriage returns", "a.jsonl", LINES.replace("\n", "\r\n") + "\r\n"
    yield "blank lines", "a.jsonl", "\n\n" + LINES.replace("\n", "\n\n")
    yield "an unusual number", "a.jsonl", LINES.replace("}", ', "score": NaN, "n": 1e999}')
    # parquet: apache/arrow#36060, dask/fastparquet#150
    plain = {name: _as_bytes(texts) for name, texts in columns().items()}
    yield "texts as plain bytes", "a.parquet", parquet(plain)
    yield (
        "dictionaries",
        "a.parquet",
        parquet({k: pa.array(v).dictionary_encode() for k, v in columns().items()}),
    )
    yield (
        "large strings",
        "a.parquet",
        parquet({k: pa.array(v, pa.large_string()) for k, v in columns().items()}),
    )
    yield (
        "string views",
        "a.parquet",
        parquet({k: pa.array(v, pa.string_view()) for k, v in columns().items()}),
    )
    yield "pandas' index column", "a.parquet", parquet(columns(__index_level_0__=[5, 6]))
    yield "a name with a dot beside", "a.parquet", parquet(columns(**{"article.length": [1, 2]}))
    yield (
        "brotli, pages of version 2",
        "a.parquet",
        parquet(columns(), compression="brotli", data_page_version="2.0"),
    )
    yield "a row group per row", "a.parquet", parquet(columns(), row_group_size=1)


READ = list(_read_files())


@pytest.mark.parametrize(
    ("name", "content"), [case[1:] for case in READ], ids=[f"{n}: {kind}" for kind, n, _ in READ]
)
def test_a_file_that_is_read(tmp_path: Path, name: str, content: str | bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert [
        (row["article"], row["highlights"], row["problem"])
        for row in read_rows(str(file), Columns())
    ] == [(*row, "") for row in ROWS]


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
WORKBOOK = b"PK\x03\x04\x14\0\x06\0" + bytes(range(256))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "line 1: it is empty"),
        ("a.parquet", "", "line 1: it is empty"),
        ("a.csv", gzip.compress(CSV.encode()), r"compressed by gzip\). End its name in .gz"),
        ("a.jsonl", gzip.compress(LINES.encode()), "compressed by gzip"),
        ("a.json", pa.Codec("zstd").compress(LINES.encode(), asbytes=True), "compressed by zstd"),
        ("a.csv.gz", CSV, "Not a gzipped file"),
        ("a.csv", parquet(columns()), r"parquet\). End its name in .parquet"),
        ("a.csv", WORKBOOK, "an Excel workbook.*save the workbook as CSV"),
        ("a.xlsx", WORKBOOK, "an Excel workbook.*save the workbook as CSV"),
        ("a.parquet", CSV, "unreadable .Parquet magic bytes not found"),
        ("a.parquet.gz", gzip.compress(parquet(columns())), "all but parquet also as"),
        ("a.csv", "<!DOCTYPE html><html><body>404</body></html>", "a web page.*the file itself"),
        ("a.jsonl", " \n<html><body>Sign in</body></html>", "a web page"),
        ("a.csv", POINTER, "pointer of Git LFS.*git lfs pull"),
        ("a.parquet", POINTER, "pointer of Git LFS"),
        ("a.jsonl", POINTER, "pointer of Git LFS"),
        ("a.csv", json.dumps(OBJECTS[0]), "no column 'article', 'highlights'; it has '{"),
        ("a.json", CSV, "line 1: not JSON"),
        ("a.csv", f'"{A}",x\n"{B}",y\n', "no column 'article', 'highlights'; it has"),
        ("a.csv", CSV.replace('"', "'").replace(B, A), "2: 4 fields .*quotes its fields"),
        ("a.csv", CSV.replace('"', "").replace(B, A), "2: 4 fields where the header has 2"),
        ("a.jsonl", "\n".join(map(repr, OBJECTS)), "1: not JSON: .*double quotes"),
        ("a.json", json.dumps([["article", "highlights"]]), "a JSON list, not an object"),
        ("a.jsonl", json.dumps({"doc": OBJECTS[0]}), "no column .*; it has 'doc'"),
        ("a.json", "[" * 100_000, r"a\.json:1: unreadable \(lists or objects nested too deeply"),
    ],
    ids=count(),
)  # fmt: skip
def test_a_file_that_is_refused_with_the_cause(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CorpusError, match=message) as refused:
        list(read_rows(str(file), Columns()))
    assert str(refused.value).startswith(str(file))


@pytest.mark.parametrize(
    ("name", "line", "problem"),
    [
        ("a.jsonl", '{"article": "a", "id": ' + "1" * 5000 + "}", "a number of too many digits"),
        ("a.jsonl", "[" * 100_000, "lists or objects nested too deeply"),
        ("a.jsonl", '{"article": "a", "highlights": "b', "not JSON: Unterminated string"),
        ("a.jsonl", "}", "not JSON"),
        ("a.jsonl", "null", "a JSON NoneType, not an object"),
        ("a.jsonl", '{"article": "a", "highlights": "\\ud83d"}', "unpaired surrogate"),
        ("a.csv", "\x1a", "1 fields where the header has 2"),
        ("a.csv", "one,two,three", "3 fields where the header has 2"),
        ("a.csv", "one,two,", "3 fields where the header has 2"),
        ("a.csv", 'x,"y" z', "expected after"),
    ],
    ids=count(),
)
def test_a_line_that_is_left_out(tmp_path: Path, name: str, line: str, problem: str) -> None:
    before = CSV if name == "a.csv" else f"{LINES}\n"
    after = CSV.split("\n", 1)[1] if name == "a.csv" else LINES
    file = tmp_path / name
    file.write_text(f"{before}{line}\n{after}", encoding="utf-8")
    rows = list(read_rows(str(file), Columns()))
    assert [(row["article"], row["highlights"]) for row in rows if not row["problem"]] == ROWS * 2
    [bad] = [row for row in rows if row["problem"]]
    assert problem in bad["problem"] and bad["row"] == (4 if name == "a.csv" else 3)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('"One",  "Two"', ("One", "Two")),
        ('"One", "Two, and three"', ("One", "Two, and three")),
        ('One, "no" said he', ("One", ' "no" said he')),
        ('He said \\"no\\",Two', ('He said "no"', "Two")),
        ('"He said \\""no\\""",Two', ('He said \\"no\\"', "Two")),
        ('"C:\\new\\",Two', ("C:\\new\\", "Two")),
    ],
)
def test_quotation_marks_of_other_writers(
    tmp_path: Path, line: str, expected: tuple[str, str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"article,highlights\n{line}\n", encoding="utf-8")
    [row] = read_rows(str(file), Columns())
    assert (row["article"], row["highlights"]) == expected


def test_a_time_that_python_cannot_hold_is_an_id(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(parquet(columns(id=pa.array([2**62, 1], pa.timestamp("us")))))
    first, second = (row["id"] for row in read_rows(str(file), Columns(id="id")))
    assert str(2**62) in first and second == "1970-01-01 00:00:00.000001"


def test_bytes_of_another_encoding_in_parquet_are_left_out(tmp_path: Path) -> None:
    texts = [b"Caf\xe9", *[f"Article number {n}.".encode() for n in range(20)]]
    file = tmp_path / "a.parquet"
    file.write_bytes(parquet({"article": pa.array(texts), "highlights": pa.array(texts[::-1])}))
    problems = [row["problem"] for row in read_rows(str(file), Columns())]
    assert problems[0] == "'article' contains bytes that are not UTF-8 (0xe9)"
    assert sum(map(bool, problems)) == 2


def test_a_single_row_of_lists_is_not_taken_for_columns(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    row = {"article": ["One.", "Two.", "Three."], "highlights": ["One.", "Three."]}
    file.write_text(json.dumps(row), encoding="utf-8")
    [found] = read_rows(str(file), Columns())
    assert (found["article"], found["highlights"]) == ("One.\nTwo.\nThree.", "One.\nThree.")
