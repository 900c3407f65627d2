"""Work beside the event loop: so many at once, so many that wait, and so long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from mediaflow.search.stopping import await_result, check
from mediaflow.serve.work import Busy, TooSlow, Work


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What functions wait for; it opens at the end in any case."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_a_function_runs_beside_the_loop_and_its_error_comes_back() -> None:
    work = Work(threads=1)

    def fails(text: str, *, times: int) -> str:
        raise ValueError(text * times)

    async def ask() -> int:
        with pytest.raises(ValueError, match="aaa"):
            await work.do(fails, "a", times=3)
        return await work.do(threading.get_ident)

    assert asyncio.run(ask()) != threading.get_ident()
    work.close()


def test_more_than_may_wait_is_refused_at_once(gate: threading.Event) -> None:
    work = Work(threads=2, waiting=1)

    async def ask() -> None:
        tasks = [asyncio.create_task(work.do(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="Too many requests wait"):
            await work.do(gate.wait)
        gate.set()
        assert await asyncio.gather(*tasks) == [True, True, True]
        assert await work.do(gate.is_set)

    asyncio.run(ask())
    work.close()


def test_what_is_too_slow_is_given_up_but_keeps_its_thread(gate: threading.Event) -> None:
    work = Work(threads=1, waiting=1, limit_s=0.05)
    begun: list[str] = []

    async def ask() -> None:
        with pytest.raises(TooSlow, match=r"within 0.05 s"):
            await work.do(gate.wait)
        with pytest.raises(TooSlow):
            await work.do(begun.append, "it waited for the thread, and its time was over before it began")
        slow = asyncio.create_task(work.do(begun.append, "one waits"))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await work.do(begun.append, "there is no place to wait")
        gate.set()
        await slow

    asyncio.run(ask())
    work.close()
    assert begun == ["one waits"]


def test_a_function_s_own_time_out_is_its_own() -> None:
    work = Work(threads=1)

    def fails() -> None:
        raise TimeoutError("the store")

    with pytest.raises(TimeoutError, match="the store"):
        asyncio.run(work.do(fails))
    work.close()


@pytest.mark.parametrize("limit_s", [0.05, 60.0])
def test_a_search_that_nobody_waits_for_ends_at_its_next_step(limit_s: float) -> None:
    work, begun, ended = Work(threads=1, limit_s=limit_s), threading.Event(), threading.Event()

    def search() -> None:
        try:
            while True:
                begun.set()
                check()
        finally:
            ended.set()

    async def ask() -> None:
        asking = asyncio.create_task(work.do(search))
        await asyncio.to_thread(begun.wait)
        if limit_s == 60:
            asking.cancel()
        with pytest.raises((TooSlow, asyncio.CancelledError)):
            await asking

    asyncio.run(ask())
    assert ended.wait(30)
    work.close()


def test_what_a_text_is_encoded_for_is_not_waited_for_by_who_has_gone(gate: threading.Event) -> None:
    work = Work(threads=1, limit_s=0.05)
    coming: Future[int] = Future()

    async def ask() -> int:
        with pytest.raises(TooSlow):
            await work.do(await_result, coming, 60)
        # The only thread is free again.
        return await work.do(threading.get_ident)

    assert asyncio.run(ask())
    work.close()
    assert await_result(done(5), 60) == 5
    with pytest.raises(TimeoutError):
        await_result(coming, 0)


def done(value: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(value)
    return future
