"""Models and datasets of the hub: fetched once, at one commit, or refused with what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import datasets
import huggingface_hub
import pytest
from huggingface_hub import constants

from highlighter.data.fingerprint import fingerprint_model
from highlighter.data.hub import commit_of, model_folder
from highlighter.data.sources import fingerprint_source, load_splits
from highlighter.errors import CheckpointError, CorpusError, HubError
from highlighter.model.families import read_config
from highlighter.model.model import load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import HubSource, PretrainedModel
from pipelines.config import load_config
from pipelines.run import resolve_data, resolve_model
from tests.conftest import ROOT
from tests.data.test_sources import hub_folder
from tests.hub_server import TOKEN, Hub
from tests.model.tiny_checkpoints import write_checkpoint

NAME = "owner/tiny"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_checkpoint("t5", tmp_path_factory.mktemp("t5"))
    (folder / "onnx").mkdir()
    for unused in ("flax_model.msgpack", "tf_model.h5", "pytorch_model.bin", "onnx/model.json"):
        (folder / unused).write_bytes(b"unused")
    return folder


def load(revision: str = "main") -> None:
    read_config(NAME, revision)
    load_model(NAME, revision, load_tokenizer(NAME, revision))


def test_a_model_is_fetched_once_at_one_commit(hub: Hub, checkpoint: Path) -> None:
    repository = hub.add("models", NAME, checkpoint)
    first = commit_of("model", NAME, "main")
    assert first == repository.refs["main"]
    read_config(NAME, first)
    assert [path for _, path, _ in hub.requests if path.endswith("model.safetensors")] == []
    load(first)
    files = {path.partition(f"{first}/")[2] for m, path, _ in hub.requests if m == "GET"}
    assert "model.safetensors" in files
    assert not files & {"flax_model.msgpack", "tf_model.h5", "pytorch_model.bin", "onnx/model.json"}
    asked = len(hub.requests)
    load(first)
    assert commit_of("model", NAME, first) == first
    assert len(hub.requests) == asked
    repository.commit({"README.md": b"new"})
    assert commit_of("model", NAME, "main") == repository.refs["main"] != first


def test_the_run_reads_and_records_the_commit(hub: Hub, checkpoint: Path, tmp_path: Path) -> None:
    model = hub.add("models", NAME, checkpoint)
    source = hub_folder(tmp_path / "rows")
    rows = hub.add("datasets", "owner/rows", Path(source.repository))
    config = load_config(
        ROOT / "configs" / "embedded.yaml",
        [
            f"parameters.model={json.dumps({'kind': 'pretrained', 'name': NAME})}",
            "steps.ingest.parameters.source="
            + json.dumps({"kind": "hub", "repository": "owner/rows", "configuration": "3.0.0"}),
        ],
    )
    config, data_version = resolve_data(config)
    config, model_version = resolve_model(config)
    assert isinstance(config.source, HubSource)
    assert isinstance(config.model, PretrainedModel)
    assert config.source.revision == data_version == rows.refs["main"]
    assert config.model.revision == model_version == model.refs["main"]


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_a_download_that_breaks_off_is_resumed(
    hub: Hub, checkpoint: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    commit = hub.add("models", NAME, checkpoint).refs["main"]
    hub.cut["model.safetensors"] = [how]
    folder = model_folder(NAME, commit)
    whole = (checkpoint / "model.safetensors").read_bytes()
    assert (folder / "model.safetensors").read_bytes() == whole
    ranges = hub.downloads("model.safetensors")
    assert len(ranges) == 2
    if how == "closed":
        assert ranges[1] is not None
        assert int(ranges[1][6:-1]) > len(whole) // 2 - 1000
    assert len(hub.downloads("/config.json")) == 1


def test_private_and_gated_repositories_need_a_token(
    hub: Hub, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    repository = hub.add("models", NAME, checkpoint, private=True)
    with pytest.raises(HubError, match="no such model, or it is private.*no token.*HF_TOKEN"):
        commit_of("model", NAME, "main")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(HubError, match=r"refused with HTTP status 401 \(a token was sent\)") as e:
        commit_of("model", NAME, "main")
    assert "hf_wrong" not in str(e.value)
    monkeypatch.delenv("HF_TOKEN")
    repository.private, repository.gated = False, True
    with pytest.raises(HubError, match="is gated.*Accept its terms.*HF_TOKEN"):
        read_config(NAME, commit_of("model", NAME, "main"))
    repository.private = True
    Path(constants.HF_TOKEN_PATH).parent.mkdir(parents=True, exist_ok=True)
    Path(constants.HF_TOKEN_PATH).write_text(TOKEN)  # of `hf auth login`
    with caplog.at_level("DEBUG"):
        load(commit_of("model", NAME, "main"))
    assert TOKEN not in caplog.text


def test_what_the_hub_lacks_is_named(hub: Hub, checkpoint: Path) -> None:
    hub.add("models", NAME, checkpoint)
    for name, revision, problem in (
        ("owner/none", "main", "no such model, or it is private"),
        (NAME, "v9", "without such a branch, tag or commit"),
        (NAME, "0" * 40, "without such a branch, tag or commit"),
        ("a/b/c", "main", "no name of a repository"),
    ):
        with pytest.raises(HubError, match=problem) as caught:
            commit_of("model", name, revision)
        assert str(caught.value).startswith(f"{name} at '{revision}'")
        assert "\n" not in str(caught.value)


def test_unsafe_files_of_the_hub_are_refused(hub: Hub, checkpoint: Path, tmp_path: Path) -> None:
    import torch

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "executed"),)

    repository = hub.add("models", NAME, checkpoint)
    files = repository.commits[repository.refs["main"]]
    del files["model.safetensors"]
    torch.save({"shared.weight": Evil()}, tmp_path / "evil.bin")
    files["pytorch_model.bin"] = (tmp_path / "evil.bin").read_bytes()
    with pytest.raises(CheckpointError, match=f"{NAME}: its pickled weights hold more"):
        load(repository.refs["main"])
    assert not (tmp_path / "executed").exists()


def test_offline_the_cached_commit_is_read(
    hub: Hub, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.add("models", NAME, checkpoint).refs["main"]
    load()
    asked = len(hub.requests)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.close_session()
    for revision in ("main", commit):
        assert fingerprint_model(PretrainedModel(kind="pretrained", name=NAME)) == commit
        load(revision)
    assert len(hub.requests) == asked
    with pytest.raises(HubError, match=r"HF_HUB_OFFLINE is set.*no complete copy.*local folder"):
        commit_of("model", NAME, "v2")


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Hub) -> HubSource:
    """CNN/DailyMail's layout as a repository of the local hub."""
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.address)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache" / "datasets")
    source = hub_folder(tmp_path / "rows")
    hub.add("datasets", "owner/rows", Path(source.repository))
    return source.model_copy(update={"repository": "owner/rows"})


def test_a_dataset_is_read_at_its_commit_or_refused(
    hub: Hub, rows: HubSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fingerprint_source(rows)
    pinned = rows.model_copy(update={"revision": first})
    assert len(load_splits(pinned, 1, tmp_path / "a")["train"]) == 10
    repository = hub.repositories["datasets", "owner/rows"]
    second = repository.commit({"more.txt": b"changed"})
    assert fingerprint_source(rows) == second
    # `datasets` would read the cached tables of the first commit without an error.
    repository.gated = True
    with pytest.raises(CorpusError, match=f"commit {second} could not be loaded.*{first}"):
        load_splits(rows.model_copy(update={"revision": second}), 1, tmp_path / "b")
    asked = len(hub.requests)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    huggingface_hub.close_session()
    assert fingerprint_source(rows) == first
    assert len(load_splits(pinned, 1, tmp_path / "c")["train"]) == 10
    assert len(hub.requests) == asked
    other = rows.model_copy(update={"repository": "owner/none"})
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        fingerprint_source(other)


PROGRAM = """
import sys
from highlighter.data.hub import commit_of, model_folder
commit = commit_of("model", sys.argv[1], "main")
print(commit, (model_folder(sys.argv[1], commit) / "model.safetensors").stat().st_size)
"""


def test_the_usual_environment_variables_work(hub: Hub, checkpoint: Path, tmp_path: Path) -> None:
    repository = hub.add("models", NAME, checkpoint, private=True, gated=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")} | {
        "HF_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    for variables in (
        {"HF_ENDPOINT": hub.address, "HF_TOKEN": TOKEN},
        {"HF_HUB_OFFLINE": "1"},
    ):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, NAME],
            cwd=ROOT, env=environment | variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        size = (checkpoint / "model.safetensors").stat().st_size
        assert done.stdout.split() == [repository.refs["main"], str(size)], done.stderr
        assert TOKEN not in done.stderr
