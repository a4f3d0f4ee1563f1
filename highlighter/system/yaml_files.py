"""Settings from a YAML file of their own."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from highlighter.errors import ConfigError
from highlighter.settings import Settings

_Kind = TypeVar("_Kind", bound=Settings)


def read_settings_file(file: Path, kind: type[_Kind]) -> _Kind:
    """What the file holds, checked.

    Raises:
        ConfigError: no such file, no YAML, or a setting that is unknown or out of range.
    """
    try:
        return kind.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{file}: can't be read ({error.strerror}).") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: not YAML ({error}).") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{file}: {problems}.") from error
