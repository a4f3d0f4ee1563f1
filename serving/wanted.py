"""Work that ends when nobody waits for it any more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from typing import TypeVar

from starlette.requests import Request

_CHECK_SECONDS = 0.25
_T = TypeVar("_T")


class CallerGoneError(Exception):
    """The caller has closed the connection."""


async def while_wanted(request: Request, work: Awaitable[_T]) -> _T:
    """The work's result; the work is cancelled when the caller has gone.

    Raises:
        CallerGoneError: then.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=_CHECK_SECONDS))[0]:
            if await request.is_disconnected():
                raise CallerGoneError
        return task.result()
    finally:
        task.cancel()


async def each_while_wanted(request: Request, items: AsyncIterator[_T]) -> AsyncIterator[_T]:
    """The items, to their end or until the caller has gone."""
    with suppress(CallerGoneError):  # there is nobody to be told
        while (item := await while_wanted(request, anext(items, None))) is not None:
            yield item
