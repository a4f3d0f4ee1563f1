"""From a host name to addresses that were all checked, in bounded time."""

import queue
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address

from highlighter.web.addresses import parse_address
from highlighter.web.deadline import Deadline
from highlighter.web.errors import UrlNotAllowedError, UrlUnreachableError
from highlighter.web.urls import WebUrl

Resolve = Callable[[str], Sequence[str]]
AddressCheck = Callable[[IPv4Address | IPv6Address], bool]

_MAX_LOOKUPS = 32  # the system's lookup can't be stopped, so those left behind are bounded


def system_lookup(host: str) -> list[str]:
    """Addresses of a host name, by the system's resolver.

    Raises:
        OSError: the name does not exist, or no server answers.
    """
    absolute = host.encode("ascii") + b"."  # no search domains: they lead into the local network
    found = socket.getaddrinfo(absolute, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolver:
    """Looks a URL's host up once, and gives its addresses only if every one passes the check."""

    def __init__(self, resolve: Resolve, is_allowed: AddressCheck) -> None:
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._slots = threading.BoundedSemaphore(_MAX_LOOKUPS)

    def addresses(self, url: WebUrl, deadline: Deadline) -> list[IPv4Address | IPv6Address]:
        """Checked addresses, in the resolver's order; at least one.

        Raises:
            UrlNotAllowedError: an address is not public.
            UrlUnreachableError: the name has no addresses.
            UrlTimeoutError: the lookup took too long.
        """
        if url.address is not None:
            found = [url.address]
        else:
            answers = [parse_address(text) for text in self._look_up(url.host, deadline)]
            found = [address for address in answers if address is not None]
            if len(found) < len(answers):
                raise _not_public()
        if not found:
            raise _unknown(url.host)
        if not all(self._is_allowed(address) for address in found):
            raise _not_public()
        return found

    def _look_up(self, host: str, deadline: Deadline) -> Sequence[str]:
        if not self._slots.acquire(timeout=deadline.remaining()):
            raise deadline.error()
        outcome: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                outcome.put(self._resolve(host))
            except OSError as error:
                outcome.put(error)
            finally:
                self._slots.release()

        threading.Thread(target=look_up, name="web-lookup", daemon=True).start()
        try:
            answer = outcome.get(timeout=deadline.remaining())
        except queue.Empty:
            raise deadline.error() from None
        if isinstance(answer, OSError):
            raise _unknown(host) from answer
        return answer


def _not_public() -> UrlNotAllowedError:
    return UrlNotAllowedError(
        "The URL leads to a host that is not on the public internet: give a public page."
    )


def _unknown(host: str) -> UrlUnreachableError:
    return UrlUnreachableError(f"The host {host} was not found: check its spelling.")
