"""Items that a thread makes, for those who wait in the event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from concurrent.futures import Executor
from contextlib import closing
from typing import TypeVar

_T = TypeVar("_T")


async def made_in_thread(
    thread: Executor, turn: asyncio.Lock, items: Generator[_T, None, None]
) -> AsyncIterator[_T]:
    """The items as they come; the thread makes all in one turn, however slowly they are read.

    When nobody reads on, it stops at the next item, or does not begin.
    """
    loop = asyncio.get_running_loop()
    made: asyncio.Queue[_T | None] = asyncio.Queue()
    unwanted = threading.Event()

    def make() -> None:
        with closing(items):
            for item in items:
                if unwanted.is_set():
                    return
                loop.call_soon_threadsafe(made.put_nowait, item)

    async def take_turn() -> None:
        try:
            async with turn:
                await loop.run_in_executor(thread, make)
        finally:
            made.put_nowait(None)

    work = asyncio.create_task(take_turn())
    try:
        while (item := await made.get()) is not None:
            yield item
        await work  # raises what failed
    finally:
        unwanted.set()
        work.cancel()
