import json
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from highlighter.data.files import require_files
from highlighter.data.sources import fingerprint_source, load_splits
from highlighter.data.validation import ARTICLE_FEATURES, IngestReport, validate_splits
from highlighter.errors import CorpusError, HighlighterError
from highlighter.settings import (
    Columns,
    EmbeddedSource,
    FileSource,
    HubSource,
    MinimumRows,
    RowLimits,
    Source,
)
from tests.conftest import made_up_articles


def ingest(
    source: Source, folder: Path, minimum: MinimumRows | None = None
) -> tuple[datasets.DatasetDict, IngestReport]:
    raw = load_splits(source, seed=13, cache_folder=folder / "cache")
    return validate_splits(raw, minimum or MinimumRows(), "v", folder, limits=source.limits)


def write_jsonl(file: Path, rows: list[object]) -> str:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def three_files(folder: Path, **rows: list[object]) -> FileSource:
    files = {}
    for seed, split in enumerate(("train", "validation", "test")):
        made_up: list[object] = list(made_up_articles(4, 100 + seed))
        files[split] = write_jsonl(folder / f"{split}.jsonl", rows.get(split, made_up))
    return FileSource(kind="files", columns=Columns(id="id"), **files)


def test_rows_that_can_not_be_used_are_left_out_with_file_row_and_reason(tmp_path: Path) -> None:
    good = made_up_articles(3, 1)
    rows = [
        good[0],
        '{"article": "cut off',
        {"article": "No highlights here."},
        {"article": 42, "highlights": "A number."},
        {"article": "  ", "highlights": "Only white space."},
        {"article": "Short.", "highlights": "A highlight longer than its article."},
        dict(good[0], id="again", article=good[0]["article"].replace(" ", "  ")),
        "[1, 2]",
        {"article": "half \ud83d a character", "highlights": "x"},
        good[1],
    ]
    articles, report = ingest(three_files(tmp_path, train=rows), tmp_path)
    counts = report.counts["train"]
    assert (counts.read, counts.kept) == (10, 2)
    assert (counts.malformed, counts.empty) == (5, 1)
    assert (counts.longer_than_article, counts.duplicate) == (1, 1)
    assert articles["train"]["id"][:] == [good[0]["id"], good[1]["id"]]
    assert all(rows.features == ARTICLE_FEATURES for rows in articles.values())
    told = {row.where.rsplit(":", 1)[1]: row.reason for row in report.left_out["train"]}
    assert "not JSON" in told["2"]
    assert told["3"] == "'highlights' is missing"
    assert told["4"] == "'article' is int, not text"
    assert told["5"] == "article empty"
    assert "longer" in told["6"]
    assert "twice" in told["7"]
    assert "not an object" in told["8"]
    assert "surrogate" in told["9"]
    assert all(
        row.where.startswith(str(tmp_path / "train.jsonl:")) for row in report.left_out["train"]
    )


def test_an_article_in_two_splits_is_kept_in_the_first_of_test_validation_train(
    tmp_path: Path,
) -> None:
    shared, *others = made_up_articles(6, 2)
    again = dict(shared, id="other")
    source = three_files(
        tmp_path,
        train=[again, *others[:2]],
        validation=[again, others[2]],
        test=[shared, others[3]],
    )
    articles, report = ingest(source, tmp_path)
    assert shared["article"] in articles["test"]["article"][:]
    assert shared["article"] not in articles["train"]["article"][:]
    assert report.counts["train"].in_other_split == 1
    assert report.counts["validation"].in_other_split == 1
    assert report.counts["test"].in_other_split == 0


def test_too_few_rows_left_stops_with_the_counts_and_an_example(tmp_path: Path) -> None:
    usable = {"id": "1", "article": "A. " * 9, "highlights": "A."}
    source = three_files(tmp_path, test=["nonsense", usable])
    with pytest.raises(
        CorpusError, match=r"test: 1 of 2 rows .* 2 are required.*1 malformed"
    ) as error:
        ingest(source, tmp_path, MinimumRows(test=2))
    assert "test.jsonl:1: not JSON" in str(error.value)


def test_too_few_rows_because_of_a_limit_name_the_limit(tmp_path: Path) -> None:
    source = three_files(tmp_path).model_copy(update={"limits": RowLimits(train=3)})
    with pytest.raises(CorpusError, match=r"train: 3 of 3 .*Raise limits\.train of the source\.$"):
        ingest(source, tmp_path, MinimumRows(train=4))
    with pytest.raises(CorpusError, match=r"test: 4 of 4 .*Add rows\.$"):
        ingest(source, tmp_path, MinimumRows(test=5))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
def test_every_file_kind_gives_the_same_articles(tmp_path: Path, suffix: str) -> None:
    rows = made_up_articles(30, 3)
    renamed = [{"text": r["article"], "summary": r["highlights"], "extra": 1} for r in rows]
    file = tmp_path / f"all.{suffix}"
    table = datasets.Dataset.from_list(renamed)
    if suffix == "csv":
        table.to_csv(file)
    elif suffix == "parquet":
        table.to_parquet(file)
    else:
        table.to_json(file)
    source = FileSource(
        kind="files", all=str(file), columns=Columns(article="text", highlights="summary")
    )
    articles, report = ingest(source, tmp_path)
    found = sorted(text for split in articles.values() for text in split["article"])
    assert found == sorted(r["article"] for r in rows)
    assert {split: c.read for split, c in report.counts.items()} == {
        "train": 24,
        "validation": 3,
        "test": 3,
    }
    assert all(len(row_id) == 40 for row_id in articles["train"]["id"])


def test_the_split_of_one_file_depends_on_the_seed_alone(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "all.jsonl", list(made_up_articles(40, 4)))
    source = FileSource(kind="files", all=file, columns=Columns(id="id"))
    tests = [
        load_splits(source, seed, tmp_path / str(number))["test"]["id"][:]
        for number, seed in enumerate((1, 1, 2))
    ]
    assert tests[0] == tests[1] != tests[2]


def test_csv_rows_of_the_wrong_width_are_told_by_line(tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    body = "".join(f'"Long article\nnumber {i} here.",short {i}\n' for i in range(10))
    file.write_text(f"article,highlights\n{body}only one field\n", encoding="utf-8")
    raw = load_splits(FileSource(kind="files", all=str(file)), 1, tmp_path / "cache")
    problems = [r for split in raw.values() for r in split if r["problem"]]
    assert [(r["row"], r["problem"]) for r in problems] == [(22, "1 fields where the header has 2")]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_an_unknown_column_is_named_with_those_there_are(tmp_path: Path, suffix: str) -> None:
    table = datasets.Dataset.from_list([{"body": "An article.", "highlights": "A."}])
    file = tmp_path / f"all.{suffix}"
    {"csv": table.to_csv, "jsonl": table.to_json, "parquet": table.to_parquet}[suffix](file)
    with pytest.raises(CorpusError, match="no column 'article'; it has 'body', 'highlights'"):
        load_splits(FileSource(kind="files", all=str(file)), 1, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "no such file"),
        ("broken.parquet", b"PAR1 this is not parquet", "unreadable"),
        ("latin.csv", "article,highlights\ncaf\xe9,x\n".encode("latin-1"), "unreadable"),
        ("story.docx", b"PK", "'.docx' files are not supported"),
        ("quote.csv", b'article,highlights\n"never closed,x\n', "unreadable"),
    ],
)
def test_an_unreadable_file_is_named(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(HighlighterError, match=message) as error:
        load_splits(FileSource(kind="files", all=str(file)), 1, tmp_path / "cache")
    assert name in str(error.value)


def hub_folder(folder: Path) -> HubSource:
    """CNN/DailyMail's own layout on the hub: a card with configurations, parquet per split."""
    (folder / "3.0.0").mkdir(parents=True)
    names = {"train": "00000-of-00002 00001-of-00002", "validation": "00000-of-00001"}
    names["test"] = names["validation"]
    lines = ["---", "configs:", "- config_name: 3.0.0", "  data_files:"]
    for seed, (split, shards) in enumerate(names.items()):
        lines += [f"  - split: {split}", f"    path: 3.0.0/{split}-*"]
        for number, shard in enumerate(shards.split()):
            rows = made_up_articles(5, 10 * seed + number)
            pq.write_table(
                pa.Table.from_pylist(rows), folder / "3.0.0" / f"{split}-{shard}.parquet"
            )
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]), encoding="utf-8")
    return HubSource(kind="hub", repository=str(folder))


def test_a_hub_repository_is_read_from_a_folder_with_its_layout(tmp_path: Path) -> None:
    source = hub_folder(tmp_path / "cnn_dailymail")
    articles, report = ingest(source, tmp_path)
    assert {split: c.read for split, c in report.counts.items()} == {
        "train": 10,
        "validation": 5,
        "test": 5,
    }
    assert articles["train"][0]["id"] == "0-0"
    limited = source.model_copy(update={"limits": RowLimits(train=3)})
    assert len(load_splits(limited, 1, tmp_path / "again")["train"]) == 3


def test_an_unknown_configuration_of_the_hub_names_those_there_are(tmp_path: Path) -> None:
    source = hub_folder(tmp_path / "cnn_dailymail").model_copy(update={"configuration": "9.9.9"})
    with pytest.raises(CorpusError, match=r"9\.9\.9.*3\.0\.0"):
        load_splits(source, 1, tmp_path / "cache")


def test_without_the_hub_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HighlighterError, match="abisee/cnn_dailymail.*local folder"):
        fingerprint_source(HubSource(kind="hub"))


def test_a_changed_file_changes_the_version_even_at_the_same_path(tmp_path: Path) -> None:
    source = three_files(tmp_path)
    before = fingerprint_source(source)
    first, _ = ingest(source, tmp_path)
    three_files(tmp_path, train=list(made_up_articles(9, 77)))
    assert fingerprint_source(source) != before
    second, _ = ingest(source, tmp_path)
    assert (len(first["train"]), len(second["train"])) == (4, 9)


def test_the_embedded_corpus_passes_whole(tmp_path: Path) -> None:
    articles, report = ingest(EmbeddedSource(kind="embedded"), tmp_path)
    for split, counts in report.counts.items():
        assert counts.kept == counts.read >= 100, (split, counts)
    assert len(articles["train"]) >= 1000


def test_more_malformed_rows_than_allowed_stop_with_examples(tmp_path: Path) -> None:
    rows: list[object] = [
        *made_up_articles(8, 1),
        "nonsense",
        {"article": "A.", "highlights": "nan"},
    ]
    raw = load_splits(three_files(tmp_path, train=rows), 13, tmp_path / "cache")
    _, report = validate_splits(raw, MinimumRows(), "v", tmp_path, maximum_malformed=0.2)
    assert report.counts["train"].malformed == 2
    with pytest.raises(CorpusError, match=r"train: 2 of 10 .*not JSON.*maximum_malformed") as error:
        validate_splits(raw, MinimumRows(), "v", tmp_path, maximum_malformed=0.19)
    assert "train.jsonl:10: 'highlights' is missing (written as 'nan')" in str(error.value)


def test_highlights_of_a_hub_dataset_may_be_lists(tmp_path: Path) -> None:
    source = hub_folder(tmp_path / "lists")
    for file in (tmp_path / "lists" / "3.0.0").glob("*.parquet"):
        rows = pq.read_table(file).to_pylist()
        listed = [{**row, "highlights": [row["highlights"], "nan and more."]} for row in rows]
        pq.write_table(pa.Table.from_pylist(listed), file)
    articles, _ = ingest(source, tmp_path)
    assert all(text.endswith("\nnan and more.") for text in articles["train"]["highlights"])


def test_missing_local_files_are_found_without_reading_any(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c-1.csv"):
        (tmp_path / name).touch()
    there = {"train": "a.csv", "validation": "b.csv", "test": "c-*.csv"}
    paths = {split: str(tmp_path / name) for split, name in there.items()}
    require_files(FileSource(kind="files", **paths))
    require_files(FileSource(kind="files", all="https://nowhere.invalid/a.csv"))
    for split, name in (("train", "missing.csv"), ("test", "d-*.csv"), ("validation", "")):
        wrong = paths | {split: str(tmp_path / name)}
        with pytest.raises(CorpusError, match="no such file|no file matches|a folder"):
            require_files(FileSource(kind="files", **wrong))
