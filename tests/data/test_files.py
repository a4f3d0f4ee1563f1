import bz2
import csv
import gzip
import io
import json
import lzma
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from highlighter.data.files import matching_files, read_rows
from highlighter.data.sources import fingerprint_source, load_splits
from highlighter.errors import CorpusError
from highlighter.settings import Columns, FileSource

LONG = (
    "The ferry to Osdon, which was late, will sail again in May. Repairs cost 1.4 million pounds."
)


def read(
    file: Path, columns: Columns | None = None
) -> list[tuple[int, str | None, str | None, str]]:
    rows = read_rows(str(file), columns or Columns())
    return [(row["row"], row["article"], row["highlights"], row["problem"]) for row in rows]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def good_rows(count: int, start: int = 0) -> list[tuple[str, str]]:
    return [
        (f"{LONG} Item {i} of it.", f"Ferry story number {i}.") for i in range(start, start + count)
    ]


def quoted(rows: list[tuple[str, str]], delimiter: str = ",") -> str:
    return "".join(f'"{article}"{delimiter}{highlights}\n' for article, highlights in rows)


def texts(
    rows: list[tuple[int, str | None, str | None, str]],
) -> list[tuple[str | None, str | None]]:
    return [(article, highlights) for _, article, highlights, problem in rows if not problem]


# --- quotation marks in CSV -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        '"The mayor said "no" to it, and left the hall at noon.",Mayor says no.\n',
        '"The mayor said no to it, and left the hall,Mayor says no.\n',
        '"No" he said, and left the hall,Mayor says no.\n',
        "The mayor said no, and left the hall at noon,Mayor says no.\n",
        '"He left."x,Mayor left.\n',
        "only one field\n",
    ],
)
def test_one_broken_row_is_left_out_by_line_and_the_others_are_read(
    tmp_path: Path, bad: str
) -> None:
    before, after = good_rows(6), good_rows(7, 6)
    file = write(tmp_path, "a.csv", "article,highlights\n" + quoted(before) + bad + quoted(after))
    rows = read(file)
    assert texts(rows) == before + after
    assert [number for number, *_, problem in rows if problem] == [8]


def test_a_broken_row_of_several_lines_gives_no_made_up_rows(tmp_path: Path) -> None:
    bad = (
        '"The mayor said "no" to it.\nHe left, and it rained.\nIt was late, they said.\n",Mayor.\n'
    )
    file = write(
        tmp_path,
        "a.csv",
        "article,highlights\n" + quoted(good_rows(3)) + bad + quoted(good_rows(3, 3)),
    )
    rows = read(file)
    assert texts(rows) == good_rows(6)
    assert [number for number, *_, problem in rows if problem] == [5]


def test_a_quotation_mark_that_is_never_closed_does_not_join_rows(tmp_path: Path) -> None:
    bad = '"The mayor said no,Mayor says no.\nHe ended with a quote",Quote.\n'
    file = write(tmp_path, "a.csv", "article,highlights\n" + bad + quoted(good_rows(3)))
    rows = read(file)
    assert texts(rows)[-3:] == good_rows(3)
    assert rows[0][0] == 2
    assert "not closed" in rows[0][3]
    assert all("Mayor says" not in (article or "") for _, article, _, _ in rows)


def test_backslashes_before_quotation_marks_are_read_as_spark_and_mysql_mean_them(
    tmp_path: Path,
) -> None:
    body = '"The board said \\"soon\\", and no more was heard.",Board says soon.\n'
    body += '"She said \\"no\\"",Says \\"no\\".\n"A path C:\\new, here",Path.\n'
    body += '"It ends \\"so\\".",\\N\n'
    rows = read(write(tmp_path, "a.csv", "article,highlights\n" + body + quoted(good_rows(2))))
    assert texts(rows)[:3] == [
        ('The board said "soon", and no more was heard.', "Board says soon."),
        ('She said "no"', 'Says "no".'),
        ("A path C:\\new, here", "Path."),
    ]
    assert rows[3][3] == "'highlights' is missing (written as '\\\\N')"
    assert texts(rows)[3:] == good_rows(2)


def test_a_file_in_which_no_row_can_be_read_names_the_line_and_quoting(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", 'article,highlights\n"never "closed,x\n')
    with pytest.raises(CorpusError, match=r"a\.csv: unreadable \(line 2: .*quotation mark"):
        read(file)


@given(
    st.lists(
        st.tuples(*[st.text(alphabet='aB .,;"\\\n\r|\t', min_size=1, max_size=30)] * 2),
        min_size=1,
        max_size=6,
    )
)
def test_what_python_writes_is_read_back_or_reported(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[str, str]]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([("article", "highlights"), *written])
    file = write(tmp_path_factory.mktemp("csv"), "a.csv", text.getvalue())
    try:
        rows = read(file)
    except CorpusError:
        return
    assert set(texts(rows)) <= set(written)


@given(
    st.lists(
        st.sampled_from(['"', ",", "\n", "word ", "\\", ";", "a,b", '""', '",', "\r\n", "\0"]),
        max_size=40,
    ).map("".join)
)
def test_any_csv_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    file = write(tmp_path_factory.mktemp("csv"), "a.csv", "article,highlights\n" + body)
    try:
        lines = [number for number, *_ in read(file)]
    except CorpusError as error:
        assert "a.csv" in str(error)
        return
    assert lines == sorted(set(lines))


# --- delimiters, headers, encodings ---------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep={}\n", "sep={}\r\n"])
def test_any_usual_delimiter_is_recognized(tmp_path: Path, delimiter: str, first: str) -> None:
    body = f"article{delimiter}highlights\n" + quoted(good_rows(3), delimiter)
    rows = read(write(tmp_path, "a.csv", first.format(delimiter) + body))
    assert texts(rows) == good_rows(3)
    assert rows[0][0] == (3 if first else 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_unicode_encodings_and_line_breaks_are_recognized(
    tmp_path: Path, encoding: str, line_break: str
) -> None:
    text = f"article,highlights\n{LONG} Café “é”,Short é.\n".replace(LONG, f'"{LONG}"').replace(
        '"" ', '"'
    )
    text = f'article,highlights\n"{LONG} Café “é”",Short é.\n'.replace("\n", line_break)
    rows = read(write(tmp_path, "a.csv", text.encode(encoding)))
    assert texts(rows) == [(f"{LONG} Café “é”", "Short é.")]


def test_a_line_of_another_encoding_is_left_out(tmp_path: Path) -> None:
    bad = '"Caf\xe9 in Osdon, which was closed.",Caf\xe9.\n'.encode("cp1252")
    content = (
        b"article,highlights\n"
        + quoted(good_rows(10)).encode()
        + bad
        + quoted(good_rows(4, 10)).encode()
    )
    rows = read(write(tmp_path, "a.csv", content))
    assert texts(rows) == good_rows(14)
    assert [(r[0], r[3]) for r in rows if r[3]] == [
        (12, "'article' contains bytes that are not UTF-8 (0xe9)")
    ]
    lines = [json.dumps({"article": a, "highlights": h}).encode() for a, h in good_rows(10)]
    lines.insert(3, b'{"article": "Caf\xe9", "highlights": "x"}')
    rows = read(write(tmp_path, "a.jsonl", b"\n".join(lines)))
    assert [r[0] for r in rows if r[3]] == [4]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_whole_file_of_another_encoding_is_refused_with_what_to_do(
    tmp_path: Path, name: str
) -> None:
    rows = [(f"Caf\xe9 {a}", h) for a, h in good_rows(5)]
    text = "article,highlights\n" + quoted(rows)
    if name.endswith("jsonl"):
        text = "\n".join(
            json.dumps({"article": a, "highlights": h}, ensure_ascii=False) for a, h in rows
        )
    with pytest.raises(CorpusError, match="5 of 5 rows are not UTF-8.*iconv"):
        read(write(tmp_path, name, text.encode("cp1252")))


def test_an_index_column_does_no_harm(tmp_path: Path) -> None:
    body = "".join(f'{i},"{a}",{h}\n' for i, (a, h) in enumerate(good_rows(3)))
    assert texts(read(write(tmp_path, "a.csv", ",article,highlights\n" + body))) == good_rows(3)
    assert texts(
        read(write(tmp_path, "b.csv", "Unnamed: 0,Article, HIGHLIGHTS \n" + body))
    ) == good_rows(3)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_repeated_column_is_an_error(tmp_path: Path, name: str) -> None:
    file = write(tmp_path, name, "article,highlights,article\nOne.,Two.,Three.\n")
    if name.endswith("parquet"):
        table = pa.Table.from_arrays([pa.array(["x"])] * 3, ["article", "highlights", "article"])
        pq.write_table(table, file)
    with pytest.raises(CorpusError, match="'article' and 'article' could both be"):
        read(file)


@pytest.mark.parametrize(
    ("article", "highlights"),
    [
        ("text", "summary"),
        ("document", "abstract"),
        ("content", "headline"),
        ("story", "target"),
        ("Text", "Summary"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_usual_column_names_are_taken_and_said(
    tmp_path: Path, article: str, highlights: str, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    table = datasets.Dataset.from_list([{"extra": 1, article: LONG, highlights: "Short."}])
    file = tmp_path / f"a.{suffix}"
    {"csv": table.to_csv, "jsonl": table.to_json, "parquet": table.to_parquet}[suffix](file)
    assert texts(read(file)) == [(LONG, "Short.")]
    assert f"column {article!r} is read as the article" in caplog.text


def test_two_usual_names_or_a_configured_name_are_never_guessed(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", "text,content,highlights\nOne.,Two.,Three.\n")
    with pytest.raises(
        CorpusError, match="'text' and 'content' could both be the column 'article'"
    ):
        read(file)
    with pytest.raises(CorpusError, match="no column 'body'; it has 'text', 'content'"):
        read(file, Columns(article="body"))
    assert texts(read(file, Columns(article="content"))) == [("Two.", "Three.")]


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "missing", ["nan", "NaN", "None", "NULL", "null", "<NA>", "N/A", "#N/A", " nan "]
)
def test_the_text_of_a_missing_value_is_no_text(tmp_path: Path, missing: str) -> None:
    rows = read(
        write(
            tmp_path,
            "a.csv",
            f'article,highlights\n"{LONG}",{missing}\n{missing},Short.\n"{LONG}",Nancy.\n',
        )
    )
    assert texts(rows) == [(LONG, "Nancy.")]
    assert [r[3] for r in rows[:2]] == [
        f"{n!r} is missing (written as {missing!r})" for n in ("highlights", "article")
    ]
    rows = read(write(tmp_path, "a.jsonl", json.dumps({"article": LONG, "highlights": missing})))
    assert "is missing" in rows[0][3]


@pytest.mark.parametrize("value", [None, math.nan, 3, 1.5, True, {"a": 1}, [1, 2], ["a", None]])
def test_what_is_not_text_is_left_out(tmp_path: Path, value: object) -> None:
    [row] = read(write(tmp_path, "a.jsonl", json.dumps({"article": LONG, "highlights": value})))
    assert row[2] is None
    assert row[3].startswith("'highlights' is ")


def test_a_list_of_sentences_is_joined_line_by_line(tmp_path: Path) -> None:
    parts = ["Ferry back in May.", " Repairs are done. ", ""]
    row = {"article": [LONG, "It ends."], "highlights": parts}
    wanted = [(f"{LONG}\nIt ends.", "Ferry back in May.\nRepairs are done.")]
    assert texts(read(write(tmp_path, "a.jsonl", json.dumps(row)))) == wanted
    file = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([row]), file)
    assert texts(read(file)) == wanted


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("['Ferry back.', \"It's May.\"]", "Ferry back.\nIt's May."),
        ('["Ferry back.", "It is May."]', "Ferry back.\nIt is May."),
        ("['Only one.']", "Only one."),
        ("['Ferry back.' 'It is May.']", None),
        ("['Ferry back.'\n 'It is May.']", None),
        ("['not closed, 'x']", None),
        ("[Sic] they said.", "[Sic] they said."),
    ],
)
def test_a_list_written_as_text_is_read_as_a_list(
    tmp_path: Path, written: str, read_as: str | None
) -> None:
    [row] = read(write(tmp_path, "a.jsonl", json.dumps({"article": LONG, "highlights": written})))
    assert row[2] == read_as
    assert ("cannot be told apart" in row[3]) == (read_as is None)


# --- JSON -----------------------------------------------------------------------------------------


def as_objects(count: int) -> list[dict[str, str]]:
    return [{"article": a, "highlights": h} for a, h in good_rows(count)]


@pytest.mark.parametrize(
    "layout",
    [
        json.dumps,
        lambda rows: json.dumps(rows, indent=2),
        lambda rows: "\ufeff \n" + json.dumps(rows, indent=1) + "\n",
        lambda rows: "\n".join(json.dumps(row, indent=1) for row in rows),
        lambda rows: "\n".join(map(json.dumps, rows)),
        lambda rows: json.dumps({"version": 1, "data": rows}),
        lambda rows: json.dumps({"rows": rows, "tags": ["a"]}, indent=2),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ndjson"])
def test_every_layout_of_json_gives_the_same_rows(
    tmp_path: Path, layout: Callable[[object], str], name: str
) -> None:
    rows = read(write(tmp_path, name, layout(as_objects(4))))
    assert texts(rows) == good_rows(4)
    numbers = [row[0] for row in rows]
    assert numbers == sorted(numbers)


def test_rows_of_pretty_json_have_the_line_they_start_in(tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", json.dumps([*as_objects(2), 3], indent=1))
    assert [(number, problem) for number, *_, problem in read(file)] == [
        (2, ""),
        (6, ""),
        (10, "a JSON int, not an object"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[\n{"article": "a", "highlights": "b"},\n{"article": "cut', r"a\.json:3: unreadable"),
        ('[{"article": "a", "highlights": "b"}\n{}]', r"a\.json:2: unreadable \(no comma"),
        ('{\n"article": "a", "highlights": "b"}\n{\n"article": }', r"a\.json:4: unreadable"),
        ('{"train": [{"article": "a"}], "test": [{"article": "b"}]}', "under 'train', 'test'"),
        ("[]", "unreadable .line 1: it is empty"),
        ("", "unreadable .line 1: it is empty"),
    ],
)
def test_broken_json_names_the_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(write(tmp_path, "a.json", content))


def test_a_broken_first_line_does_not_hide_the_others(tmp_path: Path) -> None:
    lines = ['{"article": "cut off', *map(json.dumps, as_objects(3))]
    rows = read(write(tmp_path, "a.jsonl", "\n".join(lines)))
    assert texts(rows) == good_rows(3)
    assert rows[0][0] == 1
    assert "not JSON" in rows[0][3]


def test_a_repeated_key_is_reported(tmp_path: Path) -> None:
    line = '{"article": "One.", "highlights": "x", "article": "Two."}'
    rows = read(write(tmp_path, "a.jsonl", f"{json.dumps(as_objects(1)[0])}\n{line}\n"))
    assert rows[1][3] == "the key 'article' appears twice"


# --- compressed files and patterns ----------------------------------------------------------------


def _zip(content: bytes, *names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".zst", lambda content: pa.Codec("zstd").compress(content, asbytes=True)),
    ],
)
def test_compressed_files_are_read(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    content = ("article,highlights\n" + quoted(good_rows(3))).encode()
    assert texts(read(write(tmp_path, "a.csv" + suffix, compress(content)))) == good_rows(3)
    content = json.dumps(as_objects(3)).encode()
    assert texts(read(write(tmp_path, "a.json" + suffix, compress(content)))) == good_rows(3)
    with pytest.raises(CorpusError, match=f"b.csv{suffix}: unreadable"):
        read(write(tmp_path, "b.csv" + suffix, b"this is not compressed"))


def test_an_archive_of_one_file_is_read(tmp_path: Path) -> None:
    content = ("article,highlights\n" + quoted(good_rows(3))).encode()
    one = _zip(content, "folder/rows.csv", "__MACOSX/._rows.csv")
    assert texts(read(write(tmp_path, "a.zip", one))) == good_rows(3)
    with pytest.raises(CorpusError, match="it holds 2 files"):
        read(write(tmp_path, "b.zip", _zip(content, "a.csv", "b.csv")))
    with pytest.raises(CorpusError, match="c.zip: unreadable"):
        read(write(tmp_path, "c.zip", b"PK nothing"))
    cut = gzip.compress(content * 50)[:-20]
    with pytest.raises(CorpusError, match="d.csv.gz: unreadable"):
        read(write(tmp_path, "d.csv.gz", cut))


def test_a_pattern_names_several_files_in_order(tmp_path: Path) -> None:
    for part in (1, 0, 2):
        rows = good_rows(5, 5 * part)
        write(tmp_path, f"part-{part}.csv", "article,highlights\n" + quoted(rows))
    source = FileSource(kind="files", all=str(tmp_path / "part-*.csv"))
    splits = load_splits(source, 1, tmp_path / "cache")
    assert sorted(a for rows in splits.values() for a in rows["article"]) == sorted(
        a for a, _ in good_rows(15)
    )
    before = fingerprint_source(source)
    write(tmp_path, "part-3.csv", "article,highlights\n" + quoted(good_rows(2, 15)))
    assert fingerprint_source(source) != before
    assert [file.name for file in matching_files(source.all or "")] == [
        f"part-{i}.csv" for i in range(4)
    ]


def test_a_pattern_without_files_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no file matches"):
        matching_files(str(tmp_path / "*.csv"))
    with pytest.raises(CorpusError, match="a folder. Name its files"):
        matching_files(f"{tmp_path}/")
    odd = write(tmp_path, "odd[1].csv", "article,highlights\n")
    assert matching_files(str(odd)) == [odd]
