"""A server that is asked for long holds no more memory than one asked for a while (in the soak: 100,000 times)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.conftest import Server, start, stop
from tests.serve.faces import GraphQL, Grpc, Refused
from tests.serve.process import publish

REQUESTS = 100_000 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 400
# What allocators keep back in one go.
SLACK_MIB, GROWTH = 16.0, 1.05


@pytest.fixture
def lasting(tmp_path: Path) -> Iterator[Server]:
    publish(tmp_path)
    server = start(tmp_path)
    yield server
    assert stop(server) == 0


def questions() -> Iterator[dict[str, Any]]:
    """Yield questions without end, each another one, some of them wrong."""
    at = 0
    while True:
        at += 1
        weight = 1 + at / 1_000_000
        word: dict[str, Any] = {"dialogue": {"text": ("hello", "deep", "out", "you")[at % 4]}}
        seen = {"visual": {"text": f"red {at % 97}"}}
        yield {"clauses": [{"weighted": {"clause": word, "weight": weight}}, seen], "limit": 1 + at % 30}
        yield {"clauses": [{"all": [word, {"not": {"label": {"name": f"face{at}"}}}]}], "sort": "time"}
        if at % 10 == 0:
            yield {"clauses": [{"label": {"name": "face", "algorithm": f"nobody{at}"}}]}


@pytest.mark.hypothesis
@pytest.mark.timeout(7_200)
def test_memory_does_not_grow_with_requests(lasting: Server, record_property: Any) -> None:
    faces = (GraphQL(lasting), Grpc(lasting))
    held_mib, answered = [], 0
    for at, question in zip(range(REQUESTS), questions(), strict=False):
        try:
            answered += "hits" in faces[at % 2].search(question)
        except Refused as error:
            assert "nobody" in str(error)
        if at + 1 in (REQUESTS // 2, REQUESTS):
            held_mib.append(rss_mib(lasting))
    half, whole = held_mib
    record_property("tried", f"{answered} answers: {half:.0f} MiB after half of them, {whole:.0f} MiB at the end")
    assert answered > 0.9 * REQUESTS
    assert whole < GROWTH * half + SLACK_MIB


def rss_mib(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
