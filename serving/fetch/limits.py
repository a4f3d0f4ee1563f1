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
    max_redirects: int = Field(
        8, ge=0, le=10, description="redirects that are followed; link shorteners are chained"
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
    """Limit the fetches at once: in all, for each client and from each host.

    A fetch waits for its client's and its host's slot before it takes one of those for all, so one
    client or one slow host cannot hold them all.

    Args:
        at_once: fetches at once in all.
        per_client: fetches at once for a client.
        per_host: fetches at once from a host.
    """

    def __init__(self, at_once: int = 8, per_client: int = 4, per_host: int = 4) -> None:
        self._all = asyncio.Semaphore(at_once)
        self._per_client = per_client
        self._per_host = per_host
        # An entry exists as long as a fetch holds or awaits its semaphore.
        self._shared: WeakValueDictionary[tuple[str, str], asyncio.Semaphore]
        self._shared = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, client: str, host: str) -> AsyncIterator[None]:
        """Hold a slot for a client's fetch from a host; wait until there is one."""
        by_client = self._get("client", client, self._per_client)
        by_host = self._get("host", host, self._per_host)
        async with by_client, by_host, self._all:
            yield

    def _get(self, kind: str, name: str, slots: int) -> asyncio.Semaphore:
        return self._shared.setdefault((kind, name), asyncio.Semaphore(slots))
