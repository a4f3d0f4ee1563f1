"""`python -m release score`: rows in, complete parts out, whatever happens in between."""

import json
import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pyarrow.dataset as ds
import pytest
import torch
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from highlighter.data.fingerprint import hash_folder
from highlighter.errors import ConfigError, CorpusError, HighlighterError, RegistryError
from highlighter.inference.answers import ANSWER_FIELDS, HighlightRequest, Options
from highlighter.inference.summarizer import Summarizer
from highlighter.settings import ArticleColumns
from release import registry
from release import score as module
from release.__main__ import main
from release.score import ORIGIN, RESULT, ResultFolder, Scored, score
from tests.conftest import made_up_articles

NAME = "news-highlighter"
SHORT = Options(max_summary_tokens=8)
COLUMNS = ArticleColumns(id="id")
ARTICLES = [row["article"] for row in made_up_articles(7, 5)]


@pytest.fixture(scope="module")
def version(logged: ModelInfo, checkpoint: Path) -> str:
    tags = {registry.CHECKPOINT_TAG: hash_folder(checkpoint)}
    client = MlflowClient()
    created = registry.create_version(client, NAME, logged, logged.run_id, tags)
    client.set_registered_model_alias(NAME, "champion", created.version)
    return str(created.version)


@pytest.fixture(scope="module")
def summarizer(checkpoint: Path) -> Summarizer:
    return Summarizer.load(checkpoint)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch, summarizer: Summarizer) -> None:
    monkeypatch.setattr(module, "PART_ROWS", 3)
    monkeypatch.setattr(Summarizer, "load", lambda folder: summarizer)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Seven good rows in files of three kinds, and bad ones between them."""
    rows = [{"id": f"n{n}", "article": text} for n, text in enumerate(ARTICLES)]
    folder = tmp_path / "in"
    folder.mkdir()
    lines = [json.dumps(row) for row in rows[:3]]
    lines[1:1] = ["{broken", json.dumps({"id": "blank", "article": " \u200b"})]
    lines.append(json.dumps({"id": "number", "article": 7}))
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    pd.DataFrame([rows[3], {"id": "none", "article": None}, rows[4]]).to_parquet(
        folder / "b.parquet"
    )
    csv = pd.DataFrame(rows[5:]).to_csv(index=False).encode()
    (folder / "c.csv").write_bytes(csv + b"\xff,Good text.\n")
    return folder


def run(source: Path | str, output: Path | str, **changes: Any) -> Scored:
    given: dict[str, Any] = {
        "name": NAME, "version": "champion", "columns": COLUMNS, "options": SHORT
    } | changes  # fmt: skip
    return score(f"{source}", f"{output}", **given)


def table(output: Path | str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ds.dataset(str(output), format="parquet").to_table().to_pylist()
    return sorted(rows, key=lambda row: row["id"])


def parts(output: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in output.glob("part-*")}


def test_every_row_is_answered_or_rejected(
    version: str, source: Path, tmp_path: Path, summarizer: Summarizer
) -> None:
    output = tmp_path / "out"
    scored = run(f"{source}/*", output)
    assert (scored.new, scored.found, scored.rejected) == (7, 0, 5)
    assert len(parts(output)) == 3
    assert not list(output.glob("*.partial"))
    rows = table(output)
    assert [row["id"] for row in rows] == [f"n{n}" for n in range(7)]
    assert [(Path(row["file"]).name, row["row"]) for row in rows] == [
        ("a.jsonl", 1), ("a.jsonl", 4), ("a.jsonl", 5), ("b.parquet", 1), ("b.parquet", 3),
        ("c.csv", 2), ("c.csv", rows[6]["row"]),
    ]  # fmt: skip
    requests = [HighlightRequest(article=text, **SHORT.model_dump()) for text in ARTICLES]
    for row, article, answer in zip(rows, ARTICLES, summarizer.summarize(requests), strict=True):
        assert list(row) == RESULT.names == [*ORIGIN, *ANSWER_FIELDS]
        assert row["facts_checked"] == answer.facts_checked
        assert (row["summary"], row["doubt"]) == (answer.summary, answer.doubt)
        assert row["counts"] == answer.counts.model_dump()
        assert row["truncated"] == answer.truncated.model_dump()
        texts = [article[p["start"] : p["end"]] for p in row["paragraphs"]]
        assert texts == [p.text for p in answer.paragraphs]
    rejected = (output / "_rejected.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in rejected]
    assert [(Path(f["file"]).name, f["row"]) for f in found] == [
        ("a.jsonl", 2), ("a.jsonl", 3), ("a.jsonl", 6), ("b.parquet", 2), ("c.csv", found[4]["row"])
    ]  # fmt: skip
    assert [f["reason"].partition(":")[0] for f in found] == [
        "not JSON", "article empty", "'article' is int, not text", "'article' is missing",
        "the id contains bytes that are not UTF-8",
    ]  # fmt: skip


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_command_continues_and_gives_the_same_rows(
    version: str, source: Path, tmp_path: Path, when: str
) -> None:
    """It dies while the second part is written: before the part has its name, or after."""
    whole, output = tmp_path / "whole", tmp_path / "out"
    run(f"{source}/*", whole)
    child = os.fork()
    if child == 0:
        put = ResultFolder.put

        def die(folder: ResultFolder, name: str, write: Any) -> None:
            if name.startswith("part-00001"):
                if when == "before":
                    folder._files.mv = lambda *names: os._exit(9)  # noqa: SLF001
                put(folder, name, write)
                os._exit(9)
            put(folder, name, write)

        ResultFolder.put = die  # type: ignore[method-assign]
        torch.set_num_threads(1)  # the threads of the parent are not those of a fork
        try:
            run(f"{source}/*", output)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    before = parts(output)
    assert len(before) == (1 if when == "before" else 2)
    assert not (output / "_rejected.jsonl").exists()
    scored = run(f"{source}/*", output)
    assert (scored.new, scored.found) == (7 - 3 * len(before), 3 * len(before))
    assert before.items() <= parts(output).items()
    assert table(output) == table(whole)
    assert parts(output).keys() == parts(whole).keys()
    again = run(f"{source}/*", output)
    assert (again.new, again.found, again.rejected) == (0, 7, 5)


def test_only_the_parts_of_changed_rows_are_computed_again(
    version: str, source: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    run(f"{source}/*", output)
    before = parts(output)
    csv = (source / "c.csv").read_text(encoding="utf-8", errors="replace")
    (source / "c.csv").write_text(csv.replace("million", "billion"), encoding="utf-8")
    scored = run(f"{source}/*", output)
    assert scored.found == 3
    assert len(parts(output).keys() & before.keys()) == 1
    assert len(table(output)) == scored.found + scored.new


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"options": Options(top_k=1)}, "options"),
        ({"columns": ArticleColumns()}, "columns"),
        ({"name": "other"}, "model"),
    ],
)
def test_results_of_other_settings_are_not_mixed(
    version: str,
    logged: ModelInfo,
    source: Path,
    tmp_path: Path,
    changes: dict[str, Any],
    named: str,
) -> None:
    output = tmp_path / "out"
    run(source / "b.parquet", output)
    before = parts(output)
    client = MlflowClient()
    if "name" in changes and not client.search_registered_models("name = 'other'"):
        created = registry.create_version(client, "other", logged, logged.run_id, {})
        client.set_registered_model_alias("other", "champion", created.version)
    with pytest.raises(CorpusError, match=f"results of other settings: {named} was .* is now"):
        run(source / "b.parquet", output, **changes)
    assert parts(output) == before


def test_wrong_arguments_end_in_one_sentence(
    version: str, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    with pytest.raises(HighlighterError, match="no such file"):
        run(source / "d.csv", output)
    with pytest.raises(CorpusError, match="no column 'body'; it has 'article', 'id'"):
        run(source / "a.jsonl", output, columns=ArticleColumns(article="body"))
    with pytest.raises(RegistryError, match="models:/news-highlighter/99: no such version"):
        run(source / "a.jsonl", output, version="99")
    with pytest.raises(
        CorpusError, match=r"this file of the input is in the folder of the results"
    ):
        run(f"{source}/*", source)
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"id": "x", "article": ""}\n')
    with pytest.raises(
        CorpusError, match=r"no row .*, 1 were rejected. The first one is .*:1: art"
    ):
        run(empty, tmp_path / "none")
    assert not (tmp_path / "none" / "_rejected.jsonl").exists()


def test_the_input_and_the_output_can_be_in_a_store_of_objects(
    version: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("datasets.config.DOWNLOADED_DATASETS_PATH", str(tmp_path / "copies"))
    S3FileSystem.clear_instance_cache()  # other tests' have no credentials
    client = boto3.client("s3")
    client.create_bucket(Bucket="news")
    for file in source.iterdir():
        client.upload_file(str(file), "news", f"in/{file.name}")
    scored = run("s3://news/in/*", "s3://news/out/")
    assert (scored.new, scored.rejected) == (7, 5)
    assert run("s3://news/in/*", "s3://news/out").found == 7
    keys = [o["Key"] for o in client.list_objects_v2(Bucket="news", Prefix="out/")["Contents"]]
    assert [key.split("-")[0] for key in keys] == [
        "out/_rejected.jsonl", "out/_settings.json", *["out/part"] * 3
    ]  # fmt: skip
    for key in keys[2:]:
        client.download_file("news", key, str(tmp_path / Path(key).name))
    run(f"{source}/*", tmp_path / "here")
    theirs = [row for file in tmp_path.glob("part-*") for row in table(file)]
    strip = {"file": ""}
    assert sorted((r | strip for r in theirs), key=lambda r: r["id"]) == [
        row | strip for row in table(tmp_path / "here")
    ]
    with pytest.raises(CorpusError, match=r"s3://nowhere/out: could not be used \(NoSuchBucket"):
        run("s3://news/in/a.jsonl", "s3://nowhere/out")
    server.stop()


def test_the_command_prints_progress_and_a_last_line(
    version: str,
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipelines.stack.use_stores_of", lambda root: None)
    monkeypatch.setattr("release.__main__._prepare_model", lambda: None)
    output = tmp_path / "out"
    arguments = ["score", f"{source}/*", str(output), "--max-summary-tokens"]
    assert main([*arguments, "8", "--id", "id", "--version", version]) == 0
    printed = capsys.readouterr()
    assert f"7 rows in {output}, 7 of them new (" in printed.out
    assert f"5 rejected: {output}/_rejected.jsonl" in printed.out
    assert printed.err.count(" rows/s") == 3
    assert main([*arguments, "7"]) == 1
    assert "--max-summary-tokens is 7: Input should be greater" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.skipif(shutil.which("java") is None, reason="no java")
def test_spark_gives_the_same_rows(
    version: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers have nothing of the checkout: neither their folder nor their path leads there."""
    sql = pytest.importorskip("pyspark.sql")
    from release.spark import SparkScorer

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    here, there = tmp_path / "here", tmp_path / "there"
    run(f"{source}/*", here)
    with pytest.raises(
        ConfigError, match="--spark: no session at nowhere .*Check the master's URL"
    ):
        run(f"{source}/*", there, scorer=partial(SparkScorer, master="nowhere"))
    scored = run(f"{source}/*", there, scorer=partial(SparkScorer, master="local[2]"))
    sql.SparkSession.getActiveSession().stop()
    assert (scored.new, scored.rejected) == (7, 5)
    assert parts(there).keys() == parts(here).keys()
    for row, expected in zip(table(there), table(here), strict=True):
        assert row["confidence"] == pytest.approx(expected.pop("confidence"), rel=1e-4)
        for paragraph, other in zip(row["paragraphs"], expected["paragraphs"], strict=True):
            assert paragraph["score"] == pytest.approx(other.pop("score"), abs=1e-5)
            assert paragraph | other == paragraph
        assert (
            row
            | {name: expected[name] for name in RESULT.names if name in expected}
            | {"paragraphs": row["paragraphs"]}
            == row
        )
    assert run(f"{source}/*", there).found == 7
