"""Which files a step's stored result depends on."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from zenml.config.cache_policy import CachePolicy

import steps.caching
from pipelines.summarization import STEPS
from steps.caching import depends_on_code
from tests.conftest import ROOT


def dependencies(name: str) -> set[str]:
    policy: CachePolicy = STEPS[name].configuration.cache_policy
    return set(policy.file_dependencies or [])


@pytest.mark.parametrize("name", STEPS)
def test_a_step_depends_on_its_code_its_helpers_and_all_pins(name: str) -> None:
    expected = {
        f"steps/{name}.py",
        "steps/run_record.py",
        "highlighter/settings.py",
        "requirements.txt",
        "constraints.txt",
    }
    assert expected <= dependencies(name)
    assert all((ROOT / file).is_file() for file in dependencies(name))


def test_only_the_steps_from_evaluation_on_depend_on_the_report() -> None:
    report = {"highlighter/evaluation/report.py", "highlighter/evaluation/report.html"}
    for name in STEPS:
        assert (report & dependencies(name)) == (
            report if name in {"evaluate", "register"} else set()
        ), name


def test_a_template_beside_a_used_module_counts_and_another_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pack").mkdir()
    for name in ("used", "unused"):
        (tmp_path / "pack" / f"{name}.py").write_text("")
        (tmp_path / "pack" / f"{name}.html").write_text("<p>")
    (tmp_path / "step.py").write_text("from pack import used\n")
    monkeypatch.setattr(steps.caching, "_ROOT", tmp_path)
    found = depends_on_code(str(tmp_path / "step.py")).file_dependencies
    assert found == [
        "pack/used.py",
        "step.py",
        "pack/used.html",
        "requirements.txt",
        "constraints.txt",
    ]


def test_only_registration_depends_on_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """One ZenML store serves several checkouts; a stored version is one of another registry."""
    functions = {name: STEPS[name].configuration.cache_policy.cache_func for name in STEPS}
    assert {name for name, function in functions.items() if function} == {"register"}
    assert functions["register"].import_path == "steps.caching.registry_address"
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "sqlite:///registry.db")
    addresses = set()
    for uri in ("sqlite:///a.db", "sqlite:///b.db"):
        tracker = SimpleNamespace(get_tracking_uri=lambda uri=uri: uri)
        client = SimpleNamespace(active_stack=SimpleNamespace(experiment_tracker=tracker))
        monkeypatch.setattr(steps.caching, "Client", lambda client=client: client)
        addresses.add(steps.caching.registry_address())
    assert addresses == {f"sqlite:///{name}.db sqlite:///registry.db" for name in "ab"}
