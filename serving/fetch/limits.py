"""What the service may fetch, and how much of it at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from pydantic import Field, field_validator

from highlighter.settings import Settings
from serving.fetch.errors import UrlNotAllowedError
from serving.fetch.urls import check_host


class WebSettings(Settings):
    """Limits of a fetch, redirects included. No setting opens addresses that are not public."""

    enabled: bool = Field(True, description="whether URLs are fetched at all")
    allowed_hosts: tuple[str, ...] | None = Field(
        None,
        description="hosts that may be fetched from: `example.org`, or `*.example.org` for its "
        "subdomains; None: any public host",
    )
    ports: tuple[int, ...] = Field((80, 443), min_length=1, description="allowed ports of a URL")
    max_bytes: int = Field(
        5_000_000,
        ge=1_000,
        le=50_000_000,
        description="largest page in bytes, both as received and decompressed",
    )
    timeout_seconds: float = Field(
        10.0,
        gt=0,
        le=60,
        description="longest fetch, from the first name lookup to the extracted article",
    )
    max_redirects: int = Field(3, ge=0, le=10, description="redirects that are followed")
    fetches_per_caller: int = Field(
        4, ge=1, le=64, description="fetches at once for one caller; further ones wait"
    )
    fetches_per_host: int = Field(
        4, ge=1, le=64, description="fetches at once from one host; further ones wait"
    )

    @field_validator("ports")
    @classmethod
    def _be_ports(cls, ports: tuple[int, ...]) -> tuple[int, ...]:
        for port in ports:
            if not 1 <= port <= 65535:
                raise ValueError(f"{port} is not a port: give 1 to 65535")
        return ports

    @field_validator("allowed_hosts")
    @classmethod
    def _be_host_names(cls, patterns: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for pattern in patterns or ():
            name = pattern.removeprefix("*.")
            try:
                checked = check_host(name)
            except UrlNotAllowedError as error:
                raise ValueError(f"allowed_hosts: {error}") from error
            if checked != name:
                raise ValueError(f"allowed_hosts: {pattern!r}: write the host as {checked!r}")
        return patterns

    def allows_host(self, host: str) -> bool:
        """Return whether a checked host name (lower case, ASCII) may be fetched from."""
        return self.allowed_hosts is None or any(
            host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
            for pattern in self.allowed_hosts
        )


class FetchSlots:
    """Limit the fetches at once: in all, of each caller and from each host.

    A fetch waits for its caller's and its host's slot before it takes one of all callers', so one
    caller or one slow host cannot hold them all.

    Args:
        at_once: fetches at once in all.
        settings: the limits for a caller and a host.
    """

    def __init__(self, at_once: int, settings: WebSettings) -> None:
        self._all = asyncio.Semaphore(at_once)
        self._settings = settings
        # An entry exists as long as a fetch holds or awaits its semaphore.
        self._shared: WeakValueDictionary[tuple[str, str], asyncio.Semaphore]
        self._shared = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, caller: str | None, host: str) -> AsyncIterator[None]:
        """Hold a slot, and wait for it if necessary.

        Args:
            caller: an API key or an address; None: not limited.
            host: the URL's.
        """
        per_caller = self._settings.fetches_per_caller
        by_caller = (
            asyncio.Semaphore() if caller is None else self._get("caller", caller, per_caller)
        )
        by_host = self._get("host", host, self._settings.fetches_per_host)
        async with by_caller, by_host, self._all:
            yield

    def _get(self, kind: str, name: str, slots: int) -> asyncio.Semaphore:
        return self._shared.setdefault((kind, name), asyncio.Semaphore(slots))
