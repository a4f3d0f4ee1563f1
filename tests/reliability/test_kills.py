"""Runs that are killed, wait for another or fill the disk: the next run completes.

`python -m tests.reliability.kill_often` kills at many random moments.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.checkout import STEPS, Project
from tests.reliability.harness import Run, make_project
from tests.reliability.stores import check_at_rest, check_stores, killed_runs


@contextmanager
def tiny_disk(place: Path) -> Iterator[None]:
    """Mount a file system of a few pages on a folder."""
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


def test_killed_runs_are_completed_by_the_next(project: Project) -> None:
    """Kill the very first start, then `register` while another run waits, then the deployment."""
    database = Path(project.environment["ZENML_LOCAL_STORES_PATH"], "default_zen_store/zenml.db")
    first = Run(project)
    # ZenML is creating its tables.
    first.wait_for(lambda _: database.exists() and database.stat().st_size > 100_000)
    assert first.kill(), first.output
    check_stores(project)

    second = Run(project)
    second.wait_for(lambda output: "Step evaluate has started" in output)
    third = Run(project)
    logged = project.folder / "mlartifacts" / "models"
    second.wait_for(lambda _: logged.exists())
    assert second.kill(), second.output
    check_stores(project)
    staging = Path(project.environment["BENTOML_HOME"], "staging")
    third.wait_for(lambda _: staging.exists())
    assert third.kill(), third.output
    check_stores(project)
    assert "Another run is in progress in this checkout (process " in third.output
    assert "was killed" in third.output
    assert len(killed_runs(project)) == 1

    fourth = Run(project)
    assert fourth.end() == 0, fourth.output
    assert fourth.stored == set(STEPS)
    assert len(killed_runs(project)) == 1
    check_at_rest(project)


@pytest.mark.long
def test_a_run_without_space_says_so_and_the_next_completes(project: Project) -> None:
    corpus = project.folder / "highlighter" / "embedded" / "corpus" / "train.parquet"
    parquet.write_table(parquet.read_table(corpus).slice(1), corpus)
    with tiny_disk(project.folder / "mlartifacts"):
        full = Run(project)
        assert full.end() == 1, full.output
        # A changed data file under a cached ingest is noticed.
        assert "Step ingest has started" in full.output
        assert "error: No space is left to write" in full.output
        assert "Traceback" not in full.output
    check_stores(project)
    after = Run(project)
    assert after.end() == 0, after.output
    check_at_rest(project)
