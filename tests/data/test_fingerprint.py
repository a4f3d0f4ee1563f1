from pathlib import Path

import yaml

from highlighter.data.fingerprint import needed_files
from tests.conftest import ROOT


def relative(files: list[Path]) -> set[str]:
    return {file.relative_to(ROOT).as_posix() for file in files}


def test_follows_imports_of_imports_and_packages(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "a.py").write_text("def f():\n    from pack import b\n")
    (tmp_path / "pack" / "b.py").write_text("import json, lone\n")
    (tmp_path / "lone.py").write_text("")
    (tmp_path / "unused.py").write_text("")
    names = [file.name for file in needed_files(tmp_path / "pack" / "a.py", tmp_path)]
    assert names == ["lone.py", "__init__.py", "a.py", "b.py"]


def test_a_step_depends_on_what_it_runs_and_on_no_later_step() -> None:
    needed = relative(needed_files(ROOT / "steps" / "tokenize.py", ROOT))
    used = {"features.py", "windows.py", "sentences.py"}
    assert {"steps/tokenize.py", *(f"highlighter/data/{name}" for name in used)} <= needed
    later = {
        "highlighter/training/train.py",
        "highlighter/evaluation/evaluate.py",
        "release/gate.py",
    }
    assert all((ROOT / file).is_file() for file in later)
    assert not needed & later


def test_the_bento_includes_exactly_the_files_that_the_service_needs() -> None:
    bento = yaml.safe_load((ROOT / "bentofile.yaml").read_text(encoding="utf-8"))
    page = {path.relative_to(ROOT).as_posix() for path in (ROOT / "serving/page").iterdir()}
    code = relative(needed_files(ROOT / "service.py", ROOT))
    assert set(bento["include"]) == code | page | {"configs/serving.yaml"}


def test_packages_import_only_their_own_frameworks() -> None:
    """`highlighter` imports neither ZenML nor BentoML; the service imports no training library."""
    for file in (ROOT / "highlighter").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "import zenml" not in text
        assert "from zenml" not in text
        assert "bentoml" not in text
    for file in needed_files(ROOT / "service.py", ROOT):
        text = file.read_text(encoding="utf-8")
        for library in ("datasets", "evaluate", "mlflow", "zenml"):
            assert f"import {library}" not in text, file
            assert f"from {library}" not in text, file


def test_release_imports_no_pipeline_code_except_its_command_line() -> None:
    for file in (ROOT / "release").glob("*.py"):
        if file.name != "__main__.py":
            needed = relative(needed_files(file, ROOT))
            assert not [one for one in needed if one.startswith(("pipelines/", "steps/"))], file
