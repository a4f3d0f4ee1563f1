"""Whole runs: killed, crowded, out of space; what stands is whole and the next run completes.

The long version, with drawn moments, is `python -m tests.reliability.kill_often`.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.checkout import Project
from tests.reliability.harness import Run, make_project
from tests.reliability.stores import check_at_rest, check_stores, killed_runs


@contextmanager
def tiny_disk(place: Path) -> Iterator[None]:
    """A file system of a few pages in a folder's place."""
    place.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("killed"))


def test_a_run_in_register_is_killed_while_another_waits(project: Project) -> None:
    """From the very first start, itself killed, to a run that completes after the one before."""
    database = Path(project.environment["ZENML_LOCAL_STORES_PATH"], "default_zen_store/zenml.db")
    first = Run(project)
    # ZenML is making its tables.
    first.wait_for(lambda _: database.exists() and database.stat().st_size > 100_000)
    assert first.kill(), first.output
    check_stores(project)

    second = Run(project)
    second.wait_for(lambda output: "Step evaluate has started" in output)
    third = Run(project)
    incoming = Path(project.environment["BENTOML_HOME"], "incoming")
    second.wait_for(lambda _: incoming.exists())
    assert second.kill(), second.output
    check_stores(project)
    assert third.end() == 0, third.output
    assert "Another run is at work in this checkout (process " in third.output
    assert "was killed" in third.output
    assert len(killed_runs(project)) == 1
    assert third.stored == {"ingest", "tokenize", "fine_tune", "evaluate"}
    check_at_rest(project)


@pytest.mark.long
def test_a_run_without_space_says_so_and_the_next_completes(project: Project) -> None:
    corpus = project.folder / "highlighter" / "newswire" / "data" / "train.parquet"
    parquet.write_table(parquet.read_table(corpus).slice(1), corpus)
    with tiny_disk(project.folder / "mlartifacts"):
        full = Run(project)
        assert full.end() == 1, full.output
        # A changed data file under a cached ingest is noticed.
        assert "Step ingest has started" in full.output
        assert "error: No space is left to write to" in full.output
        assert "Traceback" not in full.output
    check_stores(project)
    after = Run(project)
    assert after.end() == 0, after.output
    check_at_rest(project)
