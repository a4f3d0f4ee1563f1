"""Extraction in worker processes, which can be stopped and cannot take all memory.

`python -m serving.fetch.extraction_pool MEMORY_BYTES` is such a process. It reads jobs from its
standard input and writes results to its standard output, as JSON; a page's bytes follow its job.
"""

import asyncio
import json
import logging
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

from serving.fetch.errors import PageTooLargeError, WebError
from serving.fetch.extraction import ArticleText, PageRedirect, read_page

_PROCESSES = 2  # one page that takes long does not delay all others
_ROOT = Path(__file__).resolve().parents[2]
_SIZES = struct.Struct("!II")  # of the JSON and of the bytes after it


class ExtractionPool:
    """Read pages in at most two processes, which are started when needed and reused.

    Use it in one event loop. The processes end with the service, or with `aclose`.

    Args:
        memory_bytes: largest address space of a process.
        cpu_seconds: longest CPU time for a page; news pages take less than 0.1 s.
    """

    def __init__(self, memory_bytes: int = 1 << 30, cpu_seconds: float = 5.0) -> None:
        self._memory_bytes = memory_bytes
        self._cpu_seconds = cpu_seconds
        self._slots = asyncio.Semaphore(_PROCESSES)
        self._idle: list[asyncio.subprocess.Process] = []

    async def read_page(
        self,
        body: bytes,
        content_type: str,
        codings: list[str],
        max_bytes: int,
        url: str | None = None,
    ) -> ArticleText | PageRedirect:
        """Return what `extraction.read_page` finds in a page; cancelling ends the process.

        Raises:
            WebError: one of those of `extraction.read_page`; PageTooLargeError also for a page that
                needs too much memory or CPU time.
        """
        page = {"content_type": content_type, "codings": codings, "max_bytes": max_bytes}
        job = {"page": page | {"url": url}, "cpu_seconds": self._cpu_seconds}
        async with self._slots:
            process = await self._process()
            try:
                result = await _exchange(process, job, body)
            except BaseException:
                await _end(process)
                raise
            self._idle.append(process)
        if "code" in result:
            kinds = {kind.code: kind for kind in WebError.__subclasses__()}
            raise kinds[result["code"]](result["message"])
        if "location" in result:
            return PageRedirect(**result)
        return ArticleText(**result)

    async def aclose(self) -> None:
        """End the idle processes."""
        while self._idle:
            await _end(self._idle.pop())

    async def _process(self) -> asyncio.subprocess.Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "serving.fetch.extraction_pool", str(self._memory_bytes)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            start_new_session=True,  # Ctrl-C is the service's to handle
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _exchange(
    process: asyncio.subprocess.Process, job: dict[str, Any], body: bytes
) -> dict[str, Any]:
    assert process.stdin and process.stdout and process.stderr
    try:
        process.stdin.write(_message(job, body))
        await process.stdin.drain()
        size, _ = _SIZES.unpack(await process.stdout.readexactly(_SIZES.size))
        result: dict[str, Any] = json.loads(await process.stdout.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        traceback = (await process.stderr.read()).decode(errors="replace").strip()
        if await process.wait() < 0:  # killed by a signal: memory, time or a crash in the parser
            raise _too_large() from error
        raise RuntimeError(f"a worker process failed: {traceback[-2000:]}") from error
    return result


def _message(content: dict[str, Any], body: bytes = b"") -> bytes:
    text = json.dumps(content).encode()
    return _SIZES.pack(len(text), len(body)) + text + body


def _too_large() -> PageTooLargeError:
    return PageTooLargeError(
        "The page takes too much time or memory to read: send the article's text."
    )


def work(jobs: BinaryIO, results: BinaryIO) -> None:
    """Read pages until the jobs end."""
    while sizes := jobs.read(_SIZES.size):
        job_size, body_size = _SIZES.unpack(sizes)
        job = json.loads(jobs.read(job_size))
        body = jobs.read(body_size)
        signal.setitimer(signal.ITIMER_PROF, job["cpu_seconds"])  # its signal ends the process
        try:
            content = read_page(body, **job["page"])._asdict()
        except WebError as error:
            content = {"code": error.code, "message": str(error)}
        except MemoryError:
            content = {"code": PageTooLargeError.code, "message": str(_too_large())}
        signal.setitimer(signal.ITIMER_PROF, 0)
        results.write(_message(content))
        results.flush()


if __name__ == "__main__":
    logging.disable()  # the libraries' messages can contain parts of the page
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
    work(sys.stdin.buffer, sys.stdout.buffer)
