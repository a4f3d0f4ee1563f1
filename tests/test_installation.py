"""The supported Pythons, and the lists of packages that are installed."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from highlighter.data.fingerprint import needed_files

ROOT = Path(__file__).resolve().parent.parent
REQUIRED_BY_JUSTEXT = "lxml-html-clean"
REQUIREMENTS = ("requirements.txt", "requirements-cluster.txt", "requirements-dev.txt")


def read_pins(lines: Iterable[str]) -> dict[str, str]:
    """Return the version of each pinned package, by its normalized name."""
    pins = (re.match(r"([\w.-]+)(\[.*\])?==(\S+)", line) for line in lines)
    return {canonicalize_name(pin[1]): pin[3] for pin in pins if pin}


def read_pin_file(name: str) -> dict[str, str]:
    return read_pins((ROOT / name).read_text(encoding="utf-8").splitlines())


def imported_packages(files: Iterable[Path]) -> set[str]:
    """Return the distributions that the files import, without the project and Python's own."""
    modules: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    modules |= {alias.name.split(".")[0] for alias in names}
                case ast.ImportFrom(module=str(module), level=0):
                    modules.add(module.split(".")[0])
    distributions = packages_distributions()
    # Several distributions share the module mlflow; the complete one has its name.
    found = (
        module if module in distributions.get(module, []) else distributions[module][0]
        for module in modules - sys.stdlib_module_names
        if not (ROOT / module).is_dir() and not (ROOT / f"{module}.py").is_file()
    )
    return {canonicalize_name(name) for name in found}


def project_files(*, product: bool) -> list[Path]:
    """Return the product's files, or those of its tests and benchmarks."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    extra = {"tests", "benchmarks"}
    return [file for file in files if (file.relative_to(ROOT).parts[0] not in extra) == product]


def test_the_bento_pins_exactly_what_the_service_imports() -> None:
    bento = yaml.safe_load((ROOT / "bentofile.yaml").read_text(encoding="utf-8"))
    pins = read_pins(bento["python"]["packages"])
    imported = imported_packages(needed_files(ROOT / "service.py", ROOT))
    # `bentoml build` adds the version of BentoML that it runs with.
    assert set(pins) == imported - {"bentoml"} | {REQUIRED_BY_JUSTEXT}
    assert pins.items() <= read_pin_file("requirements.txt").items()


def test_the_requirements_name_exactly_what_is_imported() -> None:
    product = imported_packages(project_files(product=True))
    cluster = read_pin_file("requirements-cluster.txt")
    assert set(read_pin_file("requirements.txt")) == product - set(cluster) | {REQUIRED_BY_JUSTEXT}
    development = imported_packages(project_files(product=False)) - product
    extra = read_pin_file("requirements-dev.txt") | cluster
    assert development <= set(extra)


def test_every_dependency_is_constrained_to_one_version() -> None:
    pins = read_pin_file("constraints.txt") | {"torch": read_pin_file("requirements.txt")["torch"]}
    files = [ROOT / name for name in REQUIREMENTS]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    pending = [Requirement(line.split("#")[0]) for line in lines if re.match(r"\w", line)]
    seen: set[str] = set()
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        assert requirement.specifier.contains(pins[name], prereleases=True), requirement
        if name in seen:
            continue
        seen.add(name)
        for line in requires(name) or []:
            dependency = Requirement(line)
            extras = {"", *requirement.extras}
            if dependency.name.startswith(("nvidia", "cuda", "triton")) and name == "torch":
                continue  # PyPI's build for GPUs; it pins these itself
            if not dependency.marker or any(
                dependency.marker.evaluate({"extra": extra}) for extra in extras
            ):
                pending.append(dependency)


def install_fake_pythons(folder: Path, versions: dict[str, str]) -> dict[str, str]:
    """Write interpreters that report these versions; return an environment with only them."""
    for name, version in versions.items():
        fake = folder / name
        # `-c CHECK` runs the check with another version; `-m venv FOLDER` makes the interpreter.
        fake.write_text(
            f"#!{sys.executable}\n"
            "import pathlib, sys\n"
            "if sys.argv[1] == '-c':\n"
            f"    sys.version_info = {version}\n"
            "    exec(sys.argv[2])\n"
            "else:\n"
            "    target = pathlib.Path(sys.argv[3], 'bin')\n"
            "    target.mkdir(parents=True)\n"
            "    (target / 'python').write_text(pathlib.Path(sys.argv[0]).name)\n"
        )
        fake.chmod(0o755)
    return os.environ | {"PATH": str(folder)}


@pytest.mark.parametrize(
    ("versions", "chosen"),
    [
        ({"python3": "(3, 13, 0)", "python3.11": "(3, 11, 7)"}, "python3"),
        ({"python3": "(3, 10, 13)", "python3.12": "(3, 12, 1)"}, "python3.12"),
        ({"python3": "(3, 14, 0)", "python3.13": "(3, 13, 0)"}, "python3.13"),
    ],
)
def test_make_chooses_a_supported_python(
    versions: dict[str, str], chosen: str, tmp_path: Path
) -> None:
    environment = install_fake_pythons(tmp_path, versions)
    make(tmp_path, environment).check_returncode()
    assert (tmp_path / ".venv/bin/python").read_text() == chosen


def test_make_says_in_one_line_what_is_missing(tmp_path: Path) -> None:
    done = make(tmp_path, install_fake_pythons(tmp_path, {"python3": "(3, 9, 18)"}))
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert line.startswith("Python 3.11, 3.12 or 3.13 with its venv module is needed")


def make(folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Let the project's Makefile create a virtual environment in the folder."""
    return subprocess.run(
        [shutil.which("make") or "make", "-f", str(ROOT / "Makefile"), ".venv/bin/python"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
