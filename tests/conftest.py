"""Fixtures: real rows and vocabulary where they are at hand, and small made-up ones."""

import json
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

import datasets
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from highlighter.model.tokenizer import train_tokenizer
from tests.checkout import Project, check_out

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

_TOWNS = ["Ashford", "Brenmoor", "Calder", "Dunholt", "Eastmere", "Farrow", "Glenby", "Harwick"]
_NAMES = ["Holt", "Okafor", "Lindqvist", "Marsh", "Petrov", "Quayle", "Rosetti", "Singh"]


def made_up_articles(rows: int, seed: int) -> list[dict[str, str]]:
    """Articles of three paragraphs whose highlights can be read from them."""
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
    """Each test process has a ZenML store of its own; they share the cores, for two with as many
    threads each are many times slower."""
    store = tempfile.TemporaryDirectory(prefix="highlighter-zenml-")
    config.add_cleanup(store.cleanup)
    os.environ |= {"ZENML_CONFIG_PATH": store.name, "ZENML_ANALYTICS_OPT_IN": "false"}
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        threads = max(1, (os.cpu_count() or 1) // workers)
        os.environ["OMP_NUM_THREADS"] = str(threads)  # of the programs that tests start
        torch.set_num_threads(threads)
        # ZenML looks for its source root beside the main program, and a test process has none.
        sys.modules["__main__"].__file__ = str(ROOT / "run_pipeline.py")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests that share what is slow to make run in one process: a file's, and the first run's."""
    shares_run = "first_run" in getattr(item, "fixturenames", ())
    item.add_marker(
        pytest.mark.xdist_group("first_run" if shares_run else item.nodeid.split("::")[0])
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest group first: begun last, it would run alone on one core."""

    def order(item: pytest.Item) -> tuple[bool, bool]:
        in_group = "first_run" in getattr(item, "fixturenames", ())
        return not in_group, item.path.name != "test_end_to_end.py"  # it describes the first run

    items.sort(key=order)


@pytest.fixture(scope="session")
def articles() -> datasets.DatasetDict:
    """Made-up articles: 64 to train on, 16 each to validate and test."""
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
    """A vocabulary of 400 pieces trained on the made-up articles."""
    return train_tokenizer(articles["train"]["article"], 400, tmp_path_factory.mktemp("vocabulary"))


@pytest.fixture(scope="session")
def sample_rows() -> dict[str, list[dict[str, str]]]:
    """Real CNN/DailyMail rows by split."""
    folder = SHARED / "cnn_dm_sample"
    if not folder.is_dir():
        pytest.skip(f"needs real articles in {folder}")
    return {
        split: [json.loads(line) for line in (folder / f"{split}.jsonl").open(encoding="utf-8")]
        for split in ("train", "validation", "test")
    }


@pytest.fixture(scope="session")
def t5_vocabulary() -> Path:
    """A folder with T5's real spiece.model."""
    folder = SHARED / "t5_tokenizer"
    if not folder.is_dir():
        pytest.skip(f"needs T5's vocabulary in {folder}")
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout of its own, for the tests that run the pipeline."""
    # A shell's background job ignores Ctrl-C, and so would every program that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return check_out(ROOT, tmp_path_factory)


@pytest.fixture(scope="session")
def first_run(project: Project) -> str:
    """What the first run of the pipeline printed."""
    return project.run()
