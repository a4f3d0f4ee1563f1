"""Addresses of a host: looked up once and refused unless all of them are public."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from serving.fetch.errors import UrlNotAllowedError, UrlTimeoutError, UrlUnreachableError
from serving.fetch.urls import WebUrl

# IANA's special-purpose registry, written out because `ipaddress` differs between Pythons.
_NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network, unspecified
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's host agent, on a public address
            "169.254.0.0/16",  # link-local; metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
# Outside this network: ::, ::1, IPv4-mapped and -compatible, NAT64 (64:ff9b::/96, 64:ff9b:1::/48),
# discard, segment routing, unique local, link-local, site-local, multicast, unassigned networks.
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_ISATAP = (0x00005EFE, 0x02005EFE)  # an interface that embeds an IPv4 address, under any prefix


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether the address is unicast, globally reachable, and embeds no other address."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_V4)
    return (
        address in _GLOBAL_UNICAST_V6
        and address.is_global
        and address.scope_id is None
        and not any(address in network for network in _NOT_PUBLIC_V6)
        and (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP
    )


Resolve = Callable[[str], Sequence[str]]
AddressCheck = Callable[[IPv4Address | IPv6Address], bool]

# A lookup in the system's resolver can't be cancelled, so the abandoned ones are bounded.
_MAX_LOOKUPS = 128


def system_lookup(host: str) -> list[str]:
    """Return the addresses that the system's resolver knows for a host name.

    Raises:
        OSError: the name does not exist, or no name server answers.
    """
    absolute = host.encode("ascii") + b"."  # no search domains: they lead into the local network
    found = socket.getaddrinfo(absolute, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """Look up a URL's host once, and return its addresses only if all of them are allowed.

    Args:
        resolve: returns the addresses of a host name as text; raises OSError.
        is_allowed: whether an address may be connected to.
    """

    def __init__(self, resolve: Resolve, is_allowed: AddressCheck) -> None:
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._slots = threading.BoundedSemaphore(_MAX_LOOKUPS)

    async def addresses(self, url: WebUrl) -> list[IPv4Address | IPv6Address]:
        """Return the checked addresses, at least one, in the resolver's order.

        Raises:
            UrlNotAllowedError: an address is not public.
            UrlUnreachableError: the name has no addresses.
            UrlTimeoutError: too many lookups are waiting for name servers.
        """
        if url.address is not None:
            found = [url.address]
        else:
            answers = [_parse(text) for text in await self._look_up(url.host)]
            found = [address for address in answers if address is not None]
            if len(found) < len(answers):
                raise _not_public()
        if not found:
            raise _unknown(url.host)
        if not all(self._is_allowed(address) for address in found):
            raise _not_public()
        return found

    async def _look_up(self, host: str) -> Sequence[str]:
        if not self._slots.acquire(blocking=False):
            raise UrlTimeoutError("The name servers do not answer in time: try again later.")
        answer: Future[Sequence[str]] = Future()
        answer.set_running_or_notify_cancel()  # a cancelled fetch leaves the thread's future alone

        def look_up() -> None:
            try:
                answer.set_result(self._resolve(host))
            except OSError as error:
                answer.set_exception(error)
            finally:
                self._slots.release()

        # A daemon thread, so that a hanging lookup does not delay the end of the process.
        threading.Thread(target=look_up, name="fetch-lookup", daemon=True).start()
        try:
            return await asyncio.wrap_future(answer)
        except OSError as error:
            raise _unknown(host) from error


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _not_public() -> UrlNotAllowedError:
    return UrlNotAllowedError(
        "The URL leads to a host that is not on the public internet: give a public page."
    )


def _unknown(host: str) -> UrlUnreachableError:
    return UrlUnreachableError(f"The host {host} was not found: check its spelling.")
