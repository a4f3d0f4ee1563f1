"""How much memory the limits of cgroups leave."""

from pathlib import Path

from highlighter.system.memory import cgroup_headroom


def test_the_headroom_in_cgroups_of_both_versions(tmp_path: Path) -> None:
    membership, root = tmp_path / "membership", tmp_path / "cgroup"
    inner = root / "user" / "app"
    inner.mkdir(parents=True)
    membership.write_text("0::/user/app\n")
    assert list(cgroup_headroom(membership, root)) == []
    for folder, limit, used in ((inner, "max", 40), (root / "user", "100", 70)):
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(f"{used}\n")
        (folder / "memory.stat").write_text("anon 60\ninactive_file 10\n")
    assert list(cgroup_headroom(membership, root)) == [40]
    first = root / "memory"  # version 1, of which a container sees its own as the root
    first.mkdir()
    membership.write_text("4:memory:/outer/name\n3:cpu:/\n")
    (first / "memory.limit_in_bytes").write_text("200")
    (first / "memory.usage_in_bytes").write_text("150")
    (first / "memory.stat").write_text("total_inactive_file 5")
    assert list(cgroup_headroom(membership, root)) == [55]
    assert list(cgroup_headroom(tmp_path / "not-linux", root)) == []
