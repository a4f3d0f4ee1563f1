"""Which parts of the project import which, as docs/architecture.md says."""

from pathlib import Path

from highlighter.data.fingerprint import needed_files
from tests.test_installation import imported_packages

ROOT = Path(__file__).resolve().parents[1]
# A folder imports only itself and those before it.
FOLDERS = ("system", "embedded", "data", "model", "metrics", "inference", "training", "evaluation")


def test_the_library_imports_neither_zenml_nor_bentoml() -> None:
    packages = imported_packages((ROOT / "highlighter").rglob("*.py"))
    assert "torch" in packages
    assert not packages & {"zenml", "bentoml"}


def test_folders_of_the_library_import_only_those_before_them() -> None:
    found = {
        path.name for path in (ROOT / "highlighter").iterdir() if (path / "__init__.py").is_file()
    }
    assert found == set(FOLDERS)
    for number, folder in enumerate(FOLDERS):
        allowed = {"highlighter", *FOLDERS[: number + 1]}
        for module in (ROOT / "highlighter" / folder).glob("*.py"):
            needed = {file.parent.name for file in needed_files(module, ROOT)}
            assert needed <= allowed, module
