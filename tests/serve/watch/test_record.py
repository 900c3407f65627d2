"""A request's id, and what is noted of it wherever it is worked on."""

from __future__ import annotations

import asyncio
import re

import pytest

from mediaflow.serve.watch import record
from mediaflow.serve.work import Work


@pytest.mark.parametrize("given", ["7f3a", "trace-1:2.3_4", "A" * 64])
def test_a_sane_id_is_kept(given: str) -> None:
    assert record.begin("http", given).id == given


@pytest.mark.parametrize("given", [None, "", "A" * 65, "a b", "a\nb", "ä", '{"a": 1}', "<script>"])
def test_another_is_replaced(given: str | None) -> None:
    made = record.begin("http", given).id
    assert made != given and re.fullmatch("[0-9a-f]{16}", made)
    assert made != record.begin("http", given).id


def test_what_threads_note_is_noted_of_their_request() -> None:
    work = Work(threads=2)

    def answer(hits: int) -> str | None:
        record.answered(f"snapshot {hits}", hits)
        sum(range(200_000))
        return record.request_id()

    async def request(number: int) -> record.Record:
        one = record.begin("http", f"request-{number}")
        record.asked("search")
        assert await work.do(answer, number) == one.id
        record.failed("First")
        record.failed("Second")
        return one

    async def both() -> list[record.Record]:
        return list(await asyncio.gather(request(1), request(2)))

    found = asyncio.run(both())
    work.close()
    assert [(one.id, one.snapshot, one.hits) for one in found] == [
        ("request-1", "snapshot 1", 1),
        ("request-2", "snapshot 2", 2),
    ]
    assert all(one.code == "First" and 0 < one.cpu_s < 5 for one in found)


def test_who_asks_for_different_things_asks_for_several() -> None:
    async def request(*operations: str) -> str:
        one = record.begin("graphql", None)
        for operation in operations:
            record.asked(operation)
        return one.operation

    assert asyncio.run(request("search", "search")) == "search"
    assert asyncio.run(request("search", "status", "search")) == "several"
