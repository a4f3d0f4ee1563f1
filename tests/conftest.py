"""Fixtures: samples of articles, vocabularies, and copies of the project."""

import json
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import datasets
import pyarrow.parquet as pq
import pytest
import torch
from huggingface_hub import constants
from hypothesis import settings
from transformers import PreTrainedTokenizerBase

from highlighter.embedded import CHECKPOINT, CORPUS
from highlighter.model.tokenizer import train_tokenizer
from tests.checkout import Project, check_out
from tests.hub_server import Hub, serving

# CI's machines are slow at times. `--hypothesis-profile=long`: see CONTRIBUTING.md.
settings.register_profile("short", deadline=None)
settings.register_profile("long", deadline=None, max_examples=3_000)
settings.load_profile("short")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

_TOWNS = ["Ashford", "Brenmoor", "Calder", "Dunholt", "Eastmere", "Farrow", "Glenby", "Harwick"]
_NAMES = ["Holt", "Okafor", "Lindqvist", "Marsh", "Petrov", "Quayle", "Rosetti", "Singh"]


def made_up_articles(rows: int, seed: int) -> list[dict[str, str]]:
    """Return articles of three paragraphs, whose highlights state facts of the article."""
    draw = random.Random(seed)
    articles = []
    for number in range(rows):
        town, name, cost = draw.choice(_TOWNS), draw.choice(_NAMES), draw.randint(2, 99)
        articles.append(
            {
                "id": f"{seed}-{number}",
                "group": None,
                "article": (
                    f"The bridge at {town} will close in May, the council said on Tuesday. "
                    f"It carries {draw.randint(2, 30)} buses an hour.\n\n"
                    f"Repairs cost {cost} million pounds, said {name}, who leads the works. "
                    "Drivers were not pleased.\n\n"
                    f"The bridge was built in {draw.randint(1850, 1990)}."
                ),
                "highlights": f"The {town} bridge closes in May .\nRepairs cost {cost} million .",
            }
        )
    return articles


def pytest_configure(config: pytest.Config) -> None:
    """Give each test process separate ZenML and BentoML stores and its share of the cores.

    Two processes with one thread per core each would be many times slower.
    """
    store = tempfile.TemporaryDirectory(prefix="highlighter-zenml-")
    config.add_cleanup(store.cleanup)
    bento = tempfile.TemporaryDirectory(prefix="highlighter-bentoml-")
    config.add_cleanup(bento.cleanup)
    os.environ |= {
        "ZENML_CONFIG_PATH": store.name,
        "ZENML_ANALYTICS_OPT_IN": "false",
        "BENTOML_HOME": bento.name,
        "BENTOML_DO_NOT_TRACK": "true",
    }
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        threads = max(1, (os.cpu_count() or 1) // workers)
        os.environ["OMP_NUM_THREADS"] = str(threads)  # for programs that tests start
        torch.set_num_threads(threads)
        # ZenML derives its source root from the main program, which a test worker lacks.
        sys.modules["__main__"].__file__ = str(ROOT / "run_pipeline.py")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Run tests that share a slow fixture in one process: those of a file, or of the first run."""
    shares_run = "first_run" in getattr(item, "fixturenames", ())
    item.add_marker(
        pytest.mark.xdist_group("first_run" if shares_run else item.nodeid.split("::")[0])
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest group first; started last, it would run alone on one core."""

    def order(item: pytest.Item) -> tuple[bool, bool]:
        in_group = "first_run" in getattr(item, "fixturenames", ())
        return not in_group, item.path.name != "test_end_to_end.py"  # it describes the first run

    items.sort(key=order)


@pytest.fixture(scope="session")
def articles() -> datasets.DatasetDict:
    """Return made-up articles: 64 for training, 16 each for validation and test."""
    sizes = {"train": 64, "validation": 16, "test": 16}
    return datasets.DatasetDict(
        {
            split: datasets.Dataset.from_list(made_up_articles(rows, seed))
            for seed, (split, rows) in enumerate(sizes.items())
        }
    )


@pytest.fixture(scope="session")
def tokenizer(
    articles: datasets.DatasetDict, tmp_path_factory: pytest.TempPathFactory
) -> PreTrainedTokenizerBase:
    """Return a tokenizer of 400 pieces trained on the made-up articles."""
    return train_tokenizer(articles["train"]["article"], 400, tmp_path_factory.mktemp("vocabulary"))


class Sample(NamedTuple):
    """Test rows with `article` and `highlights`, and the corpus that they are from."""

    corpus: str
    rows: list[dict[str, str]]


@pytest.fixture(scope="session", params=["embedded", "cnn_dailymail"])
def sample(request: pytest.FixtureRequest) -> Sample:
    """200 test rows: of the corpus that ships, and of CNN/DailyMail where a sample is available."""
    if request.param == "embedded":
        return Sample("embedded", pq.read_table(CORPUS / "test.parquet").slice(0, 200).to_pylist())
    file = SHARED / "cnn_dm_sample" / "test.jsonl"
    if not file.is_file():
        pytest.skip(f"{file}: no sample of CNN/DailyMail")
    lines = file.read_text(encoding="utf-8").splitlines()
    return Sample("cnn_dailymail", [json.loads(line) for line in lines])


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Yield a local hub, with an empty cache and no token, as the environment would set them."""
    with serving() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache" / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "cache" / "token"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # the server does not speak it
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
        yield server


@pytest.fixture(scope="session")
def t5_vocabulary() -> Path:
    """Return a folder with T5's spiece.model if available, else the shipped checkpoint's."""
    folder = SHARED / "t5_tokenizer"
    return folder if folder.is_dir() else CHECKPOINT


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a copy of the project for tests that run the pipeline."""
    # A background job of a shell ignores SIGINT, and so would the programs that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return check_out(ROOT, tmp_path_factory)


@pytest.fixture(scope="session")
def first_run(project: Project) -> str:
    """Run the pipeline for the first time; return what it printed."""
    return project.run()
