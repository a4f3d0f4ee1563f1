"""Settings of the service, from `configs/serving.yaml`."""

import os
import re
from pathlib import Path

from pydantic import Field

from highlighter.errors import ConfigError
from highlighter.settings import Settings
from highlighter.system.yaml_files import read_settings_file
from serving.fetch.limits import WebSettings

FILE = Path(__file__).resolve().parent.parent / "configs" / "serving.yaml"
FILE_VARIABLE = "HIGHLIGHTER_SERVING_CONFIG"
KEY_VARIABLE = "HIGHLIGHTER_API_KEY"


class LimitSettings(Settings):
    """Limits of one request, of one client, and of the service."""

    article_characters: int = Field(
        100_000, ge=1_000, le=1_000_000, description="Maximum length of an article"
    )
    body_bytes: int = Field(
        1_000_000, ge=10_000, le=20_000_000, description="Maximum size of a request's body"
    )
    batch_articles: int = Field(
        16, ge=1, le=64, description="Maximum number of articles of one /summarize_batch"
    )
    articles_at_once: int = Field(
        32,
        ge=1,
        le=1024,
        description="Articles that are fetched, queued or processed; more are refused with 429",
    )
    articles_per_client: int = Field(
        24, ge=1, le=1024, description="The same for one client address; more are refused with 429"
    )
    fetches_at_once: int = Field(8, ge=1, le=64, description="Pages that are fetched at once")
    fetches_per_client: int = Field(
        4, ge=1, le=64, description="The same for one client address; more of them wait"
    )
    fetches_per_host: int = Field(
        4, ge=1, le=64, description="The same for one host of URLs; more of them wait"
    )
    receive_seconds: float = Field(
        20.0, gt=0, le=300, description="Maximum time to receive a request's body"
    )
    timeout_seconds: float = Field(
        60.0, gt=0, le=300, description="Maximum time from a request's first byte to its last"
    )
    shutdown_seconds: float = Field(
        25.0, ge=5, le=600, description="Maximum time from SIGTERM to the end of the process"
    )

    @property
    def largest_batch(self) -> int:
        """Articles of one /summarize_batch: those beyond a client's slots could never start."""
        return min(self.batch_articles, self.articles_per_client, self.articles_at_once)


class ServingSettings(Settings):
    """All settings of the running service except the API key."""

    limits: LimitSettings = LimitSettings()
    web: WebSettings = WebSettings()


def read_settings() -> ServingSettings:
    """Return the settings of the file in HIGHLIGHTER_SERVING_CONFIG, or of configs/serving.yaml.

    Raises:
        ConfigError: the file is missing or not YAML, or a setting is unknown or out of range.
    """
    return read_settings_file(Path(os.environ.get(FILE_VARIABLE) or FILE), ServingSettings)


def read_api_key() -> str | None:
    """Return the API key that clients must send, or None if the environment sets none.

    Raises:
        ConfigError: no client could send the key, or it is empty, which would open the service.
    """
    key = os.environ.get(KEY_VARIABLE)
    if key is not None and not re.fullmatch(r"[!-~]+", key):
        raise ConfigError(
            f"The environment variable {KEY_VARIABLE} is empty, or has spaces, line breaks or "
            "characters outside ASCII, which clients cannot send in a header: correct or unset it."
        )
    return key
