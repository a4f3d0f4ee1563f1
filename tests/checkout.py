"""A copy of the project in a temporary folder, with its own ZenML, MLflow and BentoML stores."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

STEPS = ("ingest", "tokenize", "fine_tune", "evaluate", "register")

FAST = {
    "parameters": {
        "seed": 13,
        "model": {
            "kind": "scratch",
            "vocabulary": {"kind": "train", "size": 1000},
            "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 1, "num_decoder_layers": 1,
        },
        "text": {"max_source_tokens": 128, "max_target_tokens": 48},
        "generation": {"num_beams": 2, "min_new_tokens": 4, "max_new_tokens": 16},
    },
    "steps": {
        "ingest": {
            "parameters": {
                "source": {
                    "kind": "embedded",
                    "limits": {"train": 200, "validation": 20, "test": 30},
                }
            }
        },
        "fine_tune": {
            "parameters": {"training": {"max_steps": 10, "evaluations": 2, "device": "cpu"}}
        },
        "evaluate": {"parameters": {"engine": {"minimum_agreement": 0.0}}},
    },
}  # fmt: skip


def cached_steps(output: str) -> set[str]:
    """The steps whose stored results were used, by the summary at a run's end."""
    return set(re.findall(r"^ ?(\w+) +cached *$", output, re.MULTILINE))


@dataclass(frozen=True)
class Project:
    """A checkout of its own: nothing of the user's is read or written."""

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """Run the pipeline; return what it printed."""
        return self.call("run_pipeline.py", "--config", "fast.yaml", *arguments)

    def call(self, *arguments: str) -> str:
        """Run a Python program in the checkout, which must end well; return what it printed."""
        done = self.start(*arguments)
        output, _ = done.communicate(timeout=300)
        assert done.returncode == 0, output
        return output

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a Python program in the checkout."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def tracking_uri(self) -> str:
        return f"sqlite:///{self.folder / 'mlflow.db'}"

    @contextmanager
    def serve(self, *target: str, folder: Path | None = None) -> Iterator[str]:
        """`bentoml serve` as a process of its own; yields its address once it is ready."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # To a file: nobody reads a pipe while the tests ask, and a full one stops the service.
        log = Path(self.environment["TMPDIR"], f"service-{port}.log")
        with log.open("w") as output:
            server = subprocess.Popen(
                [sys.executable, "-m", "bentoml", "serve", *target, "--port", str(port)],
                cwd=folder or self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(server, address, log)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_until_ready(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"the service ended: {log.read_text()}")
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the service was not ready in 90 seconds")


def check_out(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the checkout in folders of pytest's."""
    return copy_checkout(
        root, *(tmp_path_factory.mktemp(name) for name in ("checkout", "stores", "tmp"))
    )


def copy_checkout(root: Path, folder: Path, stores: Path, scratch: Path) -> Project:
    """A copy of the checkout as it is now, without anything git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, folder / name)
    (folder / "fast.yaml").write_text(yaml.safe_dump(FAST))
    environment = os.environ | {
        "ZENML_CONFIG_PATH": str(stores / "zenml"),
        "ZENML_LOCAL_STORES_PATH": str(stores / "zenml" / "local_stores"),
        "ZENML_ANALYTICS_OPT_IN": "false",
        "BENTOML_HOME": str(stores / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "true",
        "HF_HOME": str(stores / "huggingface"),
        "HF_HUB_OFFLINE": "1",
        "TMPDIR": str(scratch),
    }
    # The second is set by commands that other tests call in this process.
    for name in ("MLFLOW_TRACKING_URI", "ZENML_LOGGING_VERBOSITY"):
        environment.pop(name, None)
    return Project(folder, environment)
