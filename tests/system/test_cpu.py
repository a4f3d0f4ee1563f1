"""The number of usable cores under affinity masks and CPU quotas."""

import os
import sys
from pathlib import Path

import pytest
import torch

from highlighter.system import cpu as cores
from highlighter.system.cpu import cpu_quotas, keep_to_usable_cores, usable_cores

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cgroups are Linux's")


def limit(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"cpu.{name}").write_text(f"{text}\n")


@pytest.fixture
def membership(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that lists this process's cgroups; their root is `cgroup` beside it."""
    file = tmp_path / "membership"
    monkeypatch.setattr(cores, "MEMBERSHIP", file)
    monkeypatch.setattr(cores, "ROOT", tmp_path / "cgroup")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    return file


def test_groups_of_version_2_each_limit_what_is_in_them(membership: Path, tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    membership.write_text("0::/user/app\n")
    limit(root / "user" / "app", max="max 100000")
    assert list(cpu_quotas(membership, root)) == []
    assert usable_cores() == 64
    limit(root / "user", max="250000 100000")
    limit(root, max="6400000 100000")
    assert list(cpu_quotas(membership, root)) == [2.5, 64]
    assert usable_cores() == 3


def test_a_container_of_version_1_sees_its_own_group_as_the_root(
    membership: Path, tmp_path: Path
) -> None:
    root = tmp_path / "cgroup"
    membership.write_text("5:cpu,cpuacct:/docker/name\n4:cpuset:/docker/name\n0::/\n")
    limit(root / "cpu", cfs_quota_us="-1", cfs_period_us="100000")
    assert usable_cores() == 64
    limit(root / "cpu", cfs_quota_us="200000")
    assert list(cpu_quotas(membership, root)) == [2]
    assert usable_cores() == 2


def test_there_is_always_one_and_never_more_than_the_process_may_run_on(
    membership: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert usable_cores() == 64  # no cgroups at all
    membership.write_text("0::/\n")
    limit(tmp_path / "cgroup", max="5000 100000")
    assert usable_cores() == 1
    limit(tmp_path / "cgroup", max="800000 100000")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5})
    assert usable_cores() == 2


def test_torch_gets_no_more_threads_than_the_quota_pays_for(
    membership: Path, tmp_path: Path
) -> None:
    before = torch.get_num_threads()
    membership.write_text("0::/\n")
    try:
        torch.set_num_threads(4)
        keep_to_usable_cores()
        assert torch.get_num_threads() == 4
        limit(tmp_path / "cgroup", max="200000 100000")
        keep_to_usable_cores()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
