"""What the service may fetch."""

from pydantic import Field, field_validator

from highlighter.settings import Settings
from serving.fetch.errors import UrlNotAllowedError
from serving.fetch.urls import check_host


class WebSettings(Settings):
    """Limits of one fetch, redirects included. No setting opens addresses that are not public."""

    enabled: bool = True
    allowed_hosts: tuple[str, ...] | None = Field(
        None, description="`example.org`, or `*.example.org` for what is below it; None: any host"
    )
    ports: tuple[int, ...] = Field((80, 443), min_length=1)
    max_bytes: int = Field(
        5_000_000, ge=1_000, le=50_000_000, description="of a page, on the wire and decompressed"
    )
    timeout_seconds: float = Field(
        10.0, gt=0, le=60, description="wall clock, from the first lookup to the last byte"
    )
    max_redirects: int = Field(3, ge=0, le=10)

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
        """Whether a checked host name (lower case, ASCII) may be fetched from."""
        return self.allowed_hosts is None or any(
            host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
            for pattern in self.allowed_hosts
        )
