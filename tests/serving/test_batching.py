"""Batches of what waits: who shares one, who is left out, and whom a failure reaches."""

import asyncio

from serving.batching import Batcher


class Model:
    """Doubles numbers, when it may; fails for those it was told."""

    def __init__(self, failing: int | None = None) -> None:
        self.batches: list[list[int]] = []
        self.may_answer = asyncio.Event()
        self._failing = failing

    async def call(self, numbers: list[int]) -> list[int]:
        self.batches.append(numbers)
        await self.may_answer.wait()
        if self._failing in numbers:
            raise RuntimeError("broken")
        return [2 * number for number in numbers]


def ask(batcher: Batcher[int, int], numbers: range) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(batcher.ask(number)) for number in numbers]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_free_model_gets_a_request_at_once_and_a_busy_one_what_has_come_since() -> None:
    async def run() -> None:
        model, sizes = Model(), []
        batcher: Batcher[int, int] = Batcher(model.call, 4, sizes.append, asyncio.Lock())
        tasks = ask(batcher, range(1))
        await settle()
        assert model.batches == [[0]]
        tasks += ask(batcher, range(1, 8))
        await settle()
        assert model.batches == [[0]]
        model.may_answer.set()
        assert await asyncio.gather(*tasks) == [0, 2, 4, 6, 8, 10, 12, 14]
        assert model.batches == [[0], [1, 2, 3, 4], [5, 6, 7]]
        assert sizes == [1, 4, 3]
        assert await batcher.ask(9) == 18  # and again, when all was done

    asyncio.run(run())


def test_all_who_come_while_another_has_the_turn_share_the_batch_after_it() -> None:
    async def run() -> None:
        model, turn = Model(), asyncio.Lock()
        model.may_answer.set()
        batcher: Batcher[int, int] = Batcher(model.call, 4, lambda _: None, turn)
        async with turn:
            tasks = ask(batcher, range(2))
            await settle()
            tasks += ask(batcher, range(2, 4))
            await settle()
            assert model.batches == []
        assert await asyncio.gather(*tasks) == [0, 2, 4, 6]
        assert model.batches == [[0, 1, 2, 3]]

    asyncio.run(run())


def test_who_has_gone_is_left_out() -> None:
    async def run() -> None:
        model = Model()
        batcher: Batcher[int, int] = Batcher(model.call, 4, lambda _: None, asyncio.Lock())
        tasks = ask(batcher, range(6))
        await settle()
        tasks[0].cancel()  # at work already
        for task in tasks[4:5]:
            task.cancel()
        await settle()
        model.may_answer.set()
        assert await asyncio.gather(*tasks[1:4], tasks[5]) == [2, 4, 6, 10]
        assert model.batches == [[0, 1, 2, 3], [5]]

    asyncio.run(run())


def test_a_failure_reaches_only_the_one_it_is_about() -> None:
    async def run() -> None:
        model = Model(failing=2)
        model.may_answer.set()
        batcher: Batcher[int, int] = Batcher(model.call, 4, lambda _: None, asyncio.Lock())
        *others, failed = await asyncio.gather(
            *(batcher.ask(number) for number in (1, 3, 4, 2)), return_exceptions=True
        )
        assert others == [2, 6, 8]
        assert isinstance(failed, RuntimeError)
        assert model.batches == [[1, 3, 4, 2], [1], [3], [4], [2]]

    asyncio.run(run())
