"""Parse URLs strictly and only once: requests are built from the parsed parts."""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urljoin

import idna

from serving.fetch.errors import UrlNotAllowedError

_MAX_CHARACTERS = 4096
_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<target>[^#]*)", re.ASCII | re.IGNORECASE
)
_AUTHORITY = re.compile(
    r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[^:\[\]@]+))(?::(?P<port>[0-9]{1,5}))?"
)
# Control characters, spaces, backslashes (slashes to browsers) and halves of surrogate pairs.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\ud800-\udfff]")
_ENCODED = re.compile(r"[ \x80-\xa0]")  # in a redirect's target: percent-encoded, as by browsers
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # browsers read a host that ends in one as IPv4
_KEPT = "%/:?@!$&'()*+,;=-._~[]"
# Names that never belong to a public site: RFC 6761, 6762, 7686, 8375, 9476 and ICANN's .internal.
_LOCAL_NAMES = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private"}
    | {"home.arpa", "onion", "test", "invalid", "example", "alt"}
)


@dataclass(frozen=True)
class WebUrl:
    """A checked URL; `host` is a lower-case ASCII name or a canonical address."""

    scheme: str
    host: str
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None  # if the host is one
    port: int
    target: str  # path and query, ASCII

    @property
    def authority(self) -> str:
        """Return the Host header: IPv6 in brackets, the port unless it is the scheme's default."""
        host = f"[{self.host}]" if isinstance(self.address, ipaddress.IPv6Address) else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    def join(self, location: str) -> "WebUrl":
        """Return the target of a redirect, given a relative or absolute location.

        As in browsers, spaces in it are percent-encoded, and a fragment is ignored.

        Raises:
            UrlNotAllowedError: as `parse_url`.
        """
        location = _ENCODED.sub(_percent_encoded, location.split("#", 1)[0].strip(" "))
        if _FORBIDDEN.search(location):  # before urljoin, which drops some of them
            raise _not_allowed("a space, a control character or a backslash", "percent-encode it")
        try:
            joined = urljoin(str(self), location)
        except ValueError as error:
            raise _not_allowed("no valid host", "correct it") from error
        return parse_url(joined)


def parse_url(url: str) -> WebUrl:
    """Parse and check an absolute URL; white space around it and a fragment are ignored.

    Raises:
        UrlNotAllowedError: not http or https, malformed, with user info, or with a host that is
            neither a public name nor a canonically written address.
    """
    url = url.strip().split("#", 1)[0]
    if len(url) > _MAX_CHARACTERS:
        raise _not_allowed(f"over {_MAX_CHARACTERS} characters", "give a shorter one")
    if _FORBIDDEN.search(url):
        raise _not_allowed("a space, a control character or a backslash", "percent-encode it")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise _not_allowed("no http:// or https:// at its start", "give the page's full address")
    if "@" in parts["authority"]:
        raise _not_allowed("a user name or password", "give it without")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise _not_allowed("no valid host", "correct it")
    scheme = parts["scheme"].lower()
    address = _address(
        authority["v6"] or authority["name"].lower(), in_brackets=bool(authority["v6"])
    )
    target = quote(parts["target"], safe=_KEPT)
    return WebUrl(
        scheme=scheme,
        host=str(address) if address else check_host(authority["name"]),
        address=address,
        port=_port(authority["port"], scheme),
        target=target if target.startswith("/") else f"/{target}",
    )


def check_host(name: str) -> str:
    """Return a host name in lower case and ASCII, without a dot at its end.

    International names are encoded by IDNA 2008; look-alikes are not mapped.

    Raises:
        UrlNotAllowedError: not a complete host name, or a name of a local network.
    """
    try:
        name = name.lower() if name.isascii() else _encode_international(name)
    except idna.IDNAError as error:
        raise _not_allowed("no valid host", "correct it, or give its xn-- form") from error
    name = name.removesuffix(".")  # a complete name, which is what all names are taken for
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _not_allowed("no valid host", "correct it")
    if "_" in labels[-1]:
        raise _not_allowed("no valid host", "correct it")
    if _NUMBER.fullmatch(labels[-1]):
        raise _not_allowed("an address in an unusual form", "write the host's name")
    if len(labels) < 2 or labels[-1] in _LOCAL_NAMES or ".".join(labels[-2:]) in _LOCAL_NAMES:
        raise _not_allowed("a host that is not on the public internet", "give a public page")
    return name


def _encode_international(name: str) -> str:
    """Return a name in ASCII; capitals are lowered, letters with separate accents composed."""
    if any(unicodedata.normalize("NFC", character) != character for character in name):
        raise idna.IDNAError("a look-alike of another character, such as the Kelvin sign")
    lowered = "".join(
        character.lower() if len(character.lower()) == 1 else character for character in name
    )
    return idna.encode(unicodedata.normalize("NFC", lowered)).decode("ascii")


def _percent_encoded(match: re.Match[str]) -> str:
    return quote(match[0])


def _address(
    host: str, *, in_brackets: bool
) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the host as an address if it is one; IPv4 only as four decimal numbers."""
    try:
        return ipaddress.IPv6Address(host) if in_brackets else ipaddress.IPv4Address(host)
    except ipaddress.AddressValueError as error:
        if in_brackets:
            raise _not_allowed("no valid host", "correct it") from error
        return None


def _port(digits: str | None, scheme: str) -> int:
    port = _DEFAULT_PORTS[scheme] if digits is None else int(digits)
    if not 1 <= port <= 65535:
        raise _not_allowed("no valid port", "correct it")
    return port


def _not_allowed(what: str, remedy: str) -> UrlNotAllowedError:
    return UrlNotAllowedError(f"The URL has {what}: {remedy}.")
