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
    assert {
        "steps/tokenize.py",
        "highlighter/data/features.py",
        "highlighter/data/windows.py",
    } <= needed
    assert not needed & {"highlighter/training/train.py", "release/gate.py", "release/publish.py"}


def test_serving_takes_exactly_the_files_it_runs() -> None:
    bento = yaml.safe_load((ROOT / "bentofile.yaml").read_text(encoding="utf-8"))
    page = {path.relative_to(ROOT).as_posix() for path in (ROOT / "serving/page").iterdir()}
    code = relative(needed_files(ROOT / "service.py", ROOT))
    assert set(bento["include"]) == code | page | {"configs/serving.yaml"}


def test_serving_pins_what_the_pipeline_pins() -> None:
    bento = yaml.safe_load((ROOT / "bentofile.yaml").read_text(encoding="utf-8"))
    pipeline = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = bento["python"]["packages"]
    assert set(packages) <= set(pipeline)
    assert not [p for p in packages if p.startswith(("zenml", "mlflow", "datasets"))]


def test_the_rooms_keep_to_themselves() -> None:
    """The domain library knows neither framework; serving drags in no training library."""
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


def test_a_release_needs_no_pipeline_but_to_clean_up_after_it() -> None:
    for file in (ROOT / "release").glob("*.py"):
        if file.name != "clean.py":
            needed = relative(needed_files(file, ROOT))
            assert not [one for one in needed if one.startswith(("pipelines/", "steps/"))], file
