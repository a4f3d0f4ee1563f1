"""The service's limits, from `configs/serving.yaml`."""

import os
from pathlib import Path

from pydantic import Field

from highlighter.settings import Settings
from highlighter.system.yaml_files import read_settings_file
from serving.fetch.limits import WebSettings

FILE = Path(__file__).resolve().parent.parent / "configs" / "serving.yaml"
FILE_VARIABLE = "HIGHLIGHTER_SERVING_CONFIG"
KEY_VARIABLE = "HIGHLIGHTER_API_KEY"


class LimitSettings(Settings):
    """What one caller may ask, and how much all may ask at once."""

    article_characters: int = Field(100_000, ge=1_000, le=1_000_000)
    body_bytes: int = Field(1_000_000, ge=10_000, le=20_000_000)
    batch_articles: int = Field(16, ge=1, le=64, description="of one /summarize_batch")
    articles_at_once: int = Field(
        32, ge=1, le=1024, description="in work or waiting; further ones are turned away with 429"
    )
    fetches_at_once: int = Field(8, ge=1, le=64)
    timeout_seconds: float = Field(60.0, gt=0, le=300, description="of a request, all in all")


class ServingSettings(Settings):
    """Everything that can be set about the running service, but for the API key."""

    limits: LimitSettings = LimitSettings()
    web: WebSettings = WebSettings()


def read_settings() -> ServingSettings:
    """The settings in the file that the environment names, else in the project's own.

    Raises:
        ConfigError: no such file, no YAML, or a setting that is unknown or out of range.
    """
    return read_settings_file(Path(os.environ.get(FILE_VARIABLE) or FILE), ServingSettings)


def read_api_key() -> str | None:
    """The key that callers must give, if the environment sets one."""
    return os.environ.get(KEY_VARIABLE) or None
