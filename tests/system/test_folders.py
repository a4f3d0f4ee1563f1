"""Folders that a machine lacks or does not let write in, and names that are too long."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from highlighter.errors import StorageError
from highlighter.system.folders import require_home, require_writable


def refuse_to_write(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `os.access` answer for one place as on a read-only file system, also for root."""
    access = os.access

    def answer(path: Path, mode: int) -> bool:
        return not (Path(path) == place and mode & os.W_OK) and access(path, mode)

    monkeypatch.setattr(os, "access", answer)


@pytest.mark.parametrize("home", ["missing", "read-only", "new"])
def test_a_missing_home_is_one_line_that_says_what_to_set(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ZENML_CONFIG_PATH", "BENTOML_HOME"):
        monkeypatch.delenv(name)
    if home == "missing":
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(os, "getuid", lambda: 12345)
    else:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if home == "new":
        require_home()  # it can be made
        return
    refuse_to_write(tmp_path, monkeypatch)
    with pytest.raises(StorageError, match=r"Set HOME to .*ZENML_CONFIG_PATH and BENTOML_HOME\.$"):
        require_home()
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    with pytest.raises(StorageError, match=r"or ZENML_CONFIG_PATH\.$"):
        require_home()
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path))
    require_home()


@pytest.mark.parametrize("name", [".", ".runs/lock", ".zen", "mlflow.db"])
def test_a_read_only_or_shared_checkout_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / name
    place.mkdir(parents=True, exist_ok=True)
    require_writable(tmp_path)
    refuse_to_write(place, monkeypatch)
    with pytest.raises(StorageError, match=f"^{place} cannot be written.*copy {tmp_path} to"):
        require_writable(tmp_path)


@pytest.mark.parametrize("length", [10, 60, 150])
def test_sockets_of_multiprocessing_fit_into_a_long_tmpdir(length: int, tmp_path: Path) -> None:
    long = tmp_path / ("x" * length)
    long.mkdir()
    program = (
        "import os, tempfile\n"
        "from pathlib import Path\n"
        "from multiprocessing import Manager\n"
        "from highlighter.system.folders import keep_scratch_in_one_place\n"
        "folder = keep_scratch_in_one_place(Path('/checkout'))\n"
        "with Manager() as manager:\n"
        "    assert manager.list([1])[0] == 1\n"
        "name = tempfile.mkdtemp()\n"
        "print(folder.parent, os.path.realpath(name), os.environ['TMPDIR'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"TMPDIR": str(long)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    parent, made, used = done.stdout.split()
    assert parent == str(long)
    assert made.startswith(f"{long}/"), "the user's disk is used"
    assert not list(long.iterdir())
    assert not Path(used).exists()
