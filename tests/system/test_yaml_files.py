"""Inheritance between YAML files, and which file an error names."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from highlighter.errors import ConfigError
from highlighter.settings import Settings
from highlighter.system.yaml_files import read_document, read_settings_file


class Square(Settings):
    kind: Literal["square"]
    side: int = 1


class Circle(Settings):
    kind: Literal["circle"]
    radius: int = Field(1, ge=1)


class Drawing(Settings):
    shape: Annotated[Square | Circle, Field(discriminator="kind")]
    colors: list[str] = []
    scale: float


@pytest.fixture
def base(tmp_path: Path) -> Path:
    file = tmp_path / "base.yaml"
    file.write_text("shape: {kind: square, side: 3}\ncolors: [red, blue]\nscale: 1.0\n")
    return file


def extend(base: Path, text: str, name: str = "file.yaml") -> Path:
    file = base.parent / name
    file.write_text(f"extends: {base.name}\n{text}")
    return file


def test_a_file_extends_another_key_by_key(base: Path) -> None:
    file = extend(base, "shape: {side: 4}\ncolors: [green]\n")
    drawing = read_settings_file(file, Drawing)
    assert drawing == Drawing(shape=Square(kind="square", side=4), colors=["green"], scale=1.0)
    last = extend(file, "scale: 2.0\n", "last.yaml")
    assert read_settings_file(last, Drawing) == drawing.model_copy(update={"scale": 2.0})


def test_a_mapping_of_another_kind_is_replaced_completely(base: Path) -> None:
    file = extend(base, "shape: {kind: circle, radius: 5}\n")
    assert read_settings_file(file, Drawing).shape == Circle(kind="circle", radius=5)


@pytest.mark.parametrize(
    ("in_base", "in_file", "message"),
    [
        ("", "shape: {side: wide}", "file.yaml: shape.side: .*not 'wide'"),
        ("", "shape: {radius: 2}", "file.yaml: shape.radius: unknown key"),
        ("", "shape: {kind: circle, radius: 0}", "file.yaml: shape.radius: .*greater"),
        ("", "shape: {kind: star}", "file.yaml: shape.kind: .*'square', 'circle', not star"),
        ("", "shape: {kind: circle, side: 0}", "file.yaml: shape.side: unknown key"),
        ("tilt: 1\n", "shape: {side: 1}", "base.yaml: tilt: unknown key"),
        ("tilt: 1\n", "lean: 1", "base.yaml: tilt: unknown key.*file.yaml: lean: unknown key"),
        ("", "colors: [red, 7]", "file.yaml: colors.1: .*string, not 7"),
    ],
)
def test_an_error_names_the_file_that_holds_the_key(
    base: Path, in_base: str, in_file: str, message: str
) -> None:
    base.write_text(base.read_text() + in_base)
    with pytest.raises(ConfigError, match=message):
        read_settings_file(extend(base, in_file), Drawing)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scale: 2\nscale: 3\n", "the key 'scale' appears twice"),
        ("shape: {side: 1, side: 2}\n", "the key 'side' appears twice"),
        ("shape: " + "[" * 3000, "not YAML"),
    ],
)
def test_a_file_that_is_not_yaml_is_named(base: Path, text: str, message: str) -> None:
    """PyYAML keeps the last of equal keys, so that `web:` below would drop an earlier `web:`."""
    with pytest.raises(ConfigError, match=f"file.yaml: .*{message}") as caught:
        read_document(extend(base, text))
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(base: Path) -> None:
    base.write_text("shape: {kind: square}")
    with pytest.raises(ConfigError, match=r"file\.yaml: scale: is missing"):
        read_settings_file(extend(base, "colors: []"), Drawing)


def test_an_override_is_named_in_errors_and_replaces_a_complete_mapping(base: Path) -> None:
    document = read_document(base).with_override("shape={kind: square}")
    assert document.validated(Drawing).shape == Square(kind="square")
    assert read_document(base).values["shape"] == {"kind": "square", "side": 3}
    with pytest.raises(ConfigError, match=r"--set shape\.side=wide: shape\.side"):
        document.with_override("shape.side=wide").validated(Drawing)
    with pytest.raises(ConfigError, match=r"--set scale\.x=1: scale holds a value"):
        document.with_override("scale.x=1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: nowhere.yaml", "nowhere.yaml, which .*file.yaml extends: cannot be read"),
        ("extends: file.yaml", "file.yaml: `extends` leads back to .*file.yaml"),
        ("extends: [a.yaml]", "file.yaml: `extends` must be the path of one file"),
    ],
)
def test_a_base_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "file.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_document(tmp_path / "file.yaml")
