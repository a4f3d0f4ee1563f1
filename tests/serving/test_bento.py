"""A Bento of the shipped model: its image's files, a read-only file system, a damaged model."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import bentoml
import pytest
import yaml

from highlighter.model.checkpoint import (
    EvaluationSummary,
    MeasuredModel,
    finish_checkpoint,
    write_card,
)
from highlighter.settings import GenerationSettings, HighlightSettings
from tests.checkout import Project, check_out, wait_until_ready

ROOT = Path(__file__).resolve().parents[2]
LABELS = ("model_version", "mlflow_run_id", "zenml_run", "data_fingerprint", "git_commit")
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
# Everything is read-only but a tmpfs at $1, as with `docker run --read-only --tmpfs`.
READ_ONLY = """
set -e
mount -t tmpfs -o noexec,nosuid,nodev tmpfs "$1"
mount -o remount,bind,ro /
if touch "$2/written" 2>/dev/null; then echo "still writable"; exit 1; fi
shift 2
exec "$@"
"""
pytestmark = pytest.mark.xdist_group("bento")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout whose BentoML store holds the shipped model."""
    project = check_out(ROOT, tmp_path_factory)
    checkpoint = tmp_path_factory.mktemp("model") / "checkpoint"
    shipped = ROOT / "highlighter" / "embedded" / "model"
    finish_checkpoint(shipped, GenerationSettings(), HighlightSettings(), checkpoint)
    judgement = EvaluationSummary(rows=1, test_fingerprint="test", scores=[], faithfulness=[])
    write_card(checkpoint, MeasuredModel(parameters=1, engine="torch", evaluation=judgement))
    store = Path(project.environment["BENTOML_HOME"], "models")
    store.mkdir(parents=True)
    labels = dict.fromkeys(LABELS, "1")
    from bentoml._internal.models import ModelStore

    with bentoml.models.create(
        "news-highlighter", labels=labels, _model_store=ModelStore(store)
    ) as model:
        shutil.copytree(checkpoint, model.path, dirs_exist_ok=True)
    return project


@pytest.fixture(scope="module")
def bento(project: Project) -> Path:
    """The folder of a built Bento, with its model in it as `bentoml containerize` puts it there."""
    output, _ = project.start("-m", "bentoml", "build").communicate(timeout=120)
    assert "Successfully built" in output, output
    home = Path(project.environment["BENTOML_HOME"])
    [folder] = [f for f in (home / "bentos" / "news_highlighter").iterdir() if f.is_dir()]
    shutil.copytree(home / "models", folder / "models")
    return folder


@pytest.fixture
def damaged(project: Project) -> Iterator[Path]:
    """The folder of the model in the store; what a test damages in it is restored."""
    stored = Path(project.environment["BENTOML_HOME"], "models", "news-highlighter")
    [folder] = [f for f in stored.iterdir() if f.is_dir()]
    shutil.copytree(folder, project.folder / "backup")
    yield folder
    shutil.rmtree(folder)
    shutil.move(project.folder / "backup", folder)


def test_image_runs_as_a_user_and_writes_to_tmp_only(bento: Path) -> None:
    dockerfile = (bento / "env" / "docker" / "Dockerfile").read_text()
    assert re.findall(r"^USER (\w+)$", dockerfile, re.MULTILINE) == ["bentoml"]
    assert "ARG BENTO_USER_UID=1034\n" in dockerfile
    homes = re.findall(r"^(?:ENV|ARG) BENTOML_HOME=(\S+)$", dockerfile, re.MULTILINE)
    assert homes[-2:] == ["/tmp/bentoml", "$BENTOML_HOME"]  # the last ENV counts
    listed = yaml.safe_load((ROOT / "bentofile.yaml").read_text())["python"]["packages"]
    installed = (bento / "env" / "python" / "requirements.txt").read_text().split("\n")
    assert set(listed) <= set(installed)
    pinned = [line for line in installed if line and not line.startswith("--")]
    assert all("==" in line for line in pinned)


def test_bento_answers_on_a_read_only_file_system(bento: Path, tmp_path: Path) -> None:
    if subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "x", tmp_path], check=False).returncode:
        pytest.skip("needs `unshare --mount`, which this machine does not permit")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "OMP_NUM_THREADS": "1",
        "HOME": str(bento),
        "BENTO_PATH": str(bento),
        "BENTOML_CONTAINERIZED": "true",
        "BENTOML_HOME": str(scratch / "bentoml"),  # as in the image: a folder below /tmp
        "BENTOML_DO_NOT_TRACK": "true",
        "TMPDIR": str(scratch),
    }
    serve = [sys.executable, "-m", "bentoml", "serve", str(bento), "--port", str(port)]
    command = [*NAMESPACE, "sh", "-c", READ_ONLY, "sh", str(scratch), str(bento), *serve]
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=bento, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(server, address, log)
        request = urllib.request.Request(
            f"{address}/summarize",
            json.dumps({"article": "The bridge at Ashford closed."}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.load(answer)["paragraphs"][0]["text"] == "The bridge at Ashford closed."
    finally:
        server.terminate()
        assert server.wait(timeout=40) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def test_damaged_model_is_one_line_and_exit_code_1(project: Project, damaged: Path) -> None:
    """No worker is started, which BentoML would start again and again."""
    (damaged / "text_settings.json").unlink()
    server = project.start("-m", "bentoml", "serve", "--port", "0")
    output, _ = server.communicate(timeout=90)
    assert server.returncode == 1
    [line] = [line for line in output.splitlines() if line]
    assert f"{damaged}: no text_settings.json" in line
