"""A connection to an address that was checked, and to no other."""

import socket
import ssl
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import certifi

from highlighter.web.deadline import Deadline
from highlighter.web.errors import UrlUnreachableError
from highlighter.web.urls import WebUrl

_MAX_ADDRESSES = 4  # tried in turn


def tls_context() -> ssl.SSLContext:
    """Certificates and host names are verified, against certifi's list; no variable changes it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # requires a certificate and checks its name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def connect(
    url: WebUrl,
    addresses: Sequence[IPv4Address | IPv6Address],
    tls: ssl.SSLContext,
    deadline: Deadline,
) -> socket.socket:
    """Connect to the first address that answers; with TLS for https, verified for the URL's host.

    Raises:
        UrlUnreachableError: no address answers, or its certificate is not the host's.
        UrlTimeoutError: out of time.
    """
    plain = _connect_to_one(url, addresses[:_MAX_ADDRESSES], deadline)
    if url.scheme == "http":
        return plain
    try:
        plain.settimeout(deadline.remaining())
        return tls.wrap_socket(plain, server_hostname=url.host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise UrlUnreachableError(
            f"The certificate of {url.host} can't be trusted, so its page was not read: give "
            "another page, or send the article's text."
        ) from error
    except BaseException:
        plain.close()
        raise


def _connect_to_one(
    url: WebUrl, addresses: Sequence[IPv4Address | IPv6Address], deadline: Deadline
) -> socket.socket:
    failure: OSError | None = None
    for tried, address in enumerate(addresses):
        family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            # A fair share each: one address that swallows packets leaves time for the next.
            connection.settimeout(deadline.remaining() / (len(addresses) - tried))
            connection.connect((str(address), url.port))
            return connection
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
    if isinstance(failure, TimeoutError):
        raise deadline.error() from failure
    raise UrlUnreachableError(
        f"{url.host} does not answer: check the URL, or try again later."
    ) from failure
