"""The client gives what the Python API gives, and raises what it raises."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from mediaflow.client import Client, Page, Retries, Status
from mediaflow.client.errors import RETRIED
from mediaflow.errors import MediaflowError, UsageError
from mediaflow.search.engine import SearchEngine
from mediaflow.search.gateway import Gateway
from mediaflow.search.post.facets import FACETS
from mediaflow.search.query import (
    Condition,
    Dialogue,
    Filters,
    Query,
    SimilarToClip,
    SimilarToPicture,
    SortBy,
    Visual,
    Where,
)
from mediaflow.search.results import in_json
from mediaflow.search.views.characters import Characters
from mediaflow.search.views.timeline import Timeline
from mediaflow.serve.cursors import Cursors, Place, WrongCursor
from mediaflow.serve.forms import plain
from mediaflow.serve.service import Service
from mediaflow.snapshots.reader import SnapshotExpired
from tests.conftest import ROOT
from tests.serve.conftest import Server
from tests.serve.process import KEY

HELLO = Query((Dialogue("hello"),), limit=2)


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url) as client:
        yield client


@pytest.fixture
def gateway(engine: SearchEngine) -> Iterator[Gateway]:
    with engine.gateway() as gateway:
        yield gateway


def test_an_answer_is_that_of_the_python_api_as_objects(client: Client, engine: SearchEngine) -> None:
    expected = engine.search(HELLO)
    found = client.search(HELLO)
    hits = tuple(replace(hit, title_no=None) for hit in expected.hits)
    cursor = found.next_cursor
    assert found == Page(**{**vars(expected), "hits": hits, "next_offset": None, "next_cursor": cursor})
    assert cursor and found.to_polars().drop("title_no").equals(expected.to_polars().drop("title_no"))


def test_pages_side_by_side_are_the_whole_answer(client: Client, engine: SearchEngine) -> None:
    pages = list(client.pages(HELLO))
    assert [hit.as_json() for page in pages for hit in page] == [
        hit.as_json() for hit in engine.search(replace(HELLO, limit=20))
    ]
    assert len(pages) == 2 and client.search(HELLO, pages[0].next_cursor) == pages[1]


@pytest.mark.parametrize(
    "clause",
    [
        SimilarToPicture(b"\xff\x00\x00"),
        SimilarToPicture(b"\xff\x00\x00", 'a name ☃ " of its own', everything=True),
        SimilarToClip(b"\xff\x00\x00\x00\x00\xff"),
        SimilarToPicture(b""),
        SimilarToClip(b"four", "clip.mp4"),
    ],
    ids=["picture", "named", "clip", "no picture", "no clip"],
)
def test_pictures_and_clips_are_uploaded(client: Client, engine: SearchEngine, clause: Any) -> None:
    query = Query((Dialogue("hello"), clause))
    answers = [_said(lambda asked=asked: asked.search(query).as_json()) for asked in (client, engine)]
    assert answers[0] == answers[1]


def _said(ask: Any) -> Any:
    try:
        return ask()
    except MediaflowError as error:
        return type(error), error.message, error.fields


@pytest.mark.parametrize(
    "query", [HELLO, Query((Visual("red"),)), replace(HELLO, filters=Filters(genres=("western",)))]
)
def test_what_stands_beside_hits_is_that_of_the_python_api(client: Client, gateway: Gateway, query: Query) -> None:
    assert client.facets(query, FACETS) == gateway.facets(query, FACETS)
    assert client.view(query, Timeline("harbour", 7)) == gateway.view(query, Timeline("harbour", 7))
    assert client.view(query, Characters()) == gateway.view(query, Characters())


@pytest.mark.parametrize(
    "query",
    [
        Query((Where("loud", 0.25),), sort=SortBy("loud", "level", descending=True)),
        Query((Where("faces", conditions=(Condition("age", 35, "most"), Condition("seen", True))),)),
        Query((Dialogue("hello"),), Filters(rows=(Where("loud", 0.5),))),
    ],
)
def test_own_fields_are_asked_for_sorted_by_and_told(client: Client, engine: SearchEngine, query: Query) -> None:
    found = client.search(query)
    assert found.as_json() == engine.search(query).as_json() and found.hits


def test_facets_may_be_fewer(client: Client) -> None:
    (most,) = client.facets(HELLO, ["title"], most=1)["title"]
    assert (most.value, most.hits) == ("harbour", 2)


def test_an_explanation_is_that_of_the_python_api(client: Client, gateway: Gateway) -> None:
    query = Query((Dialogue("hello"), Visual("red", everything=True)))
    expected, found = gateway.explain(query), client.explain(query)
    assert [replace(one, cpu_ms=0) for one in found] == [replace(one, cpu_ms=0) for one in expected]
    assert len(found) == 2


def test_annotations_are_those_of_the_python_api(client: Client, gateway: Gateway) -> None:
    found = list(client.annotations("meadow"))
    assert found == in_json(plain(gateway.annotations("meadow"))) and len(found) > 5
    part = list(client.annotations("meadow", 600, 3000, ["signs", "faces"]))
    assert part == in_json(plain(gateway.annotations("meadow", 600, 3000, ["signs", "faces"]))) and part


def test_titles_and_algorithms_are_those_of_the_server(client: Client, engine: SearchEngine) -> None:
    service = Service(engine, Cursors())
    expected = service.titles()["titles"]
    found = [asdict(one) for one in client.titles()]
    assert [one | {"genres": list(one["genres"]), "languages": list(one["languages"])} for one in found] == expected
    aged = Where("faces", conditions=(Condition("age", 35, "least"),))
    assert [one.title_id for one in client.titles(Filters(rows=(aged,)))] == ["meadow"]
    algorithms = [asdict(one) for one in client.algorithms()]
    for one in algorithms:
        one["fields"] = [field | {"comparisons": list(field["comparisons"])} for field in one["fields"]]
    assert algorithms == service.algorithms()["algorithms"]


def test_titles_and_rows_are_asked_for_page_by_page(client: Client) -> None:
    assert list(client.titles(at_once=2)) == list(client.titles())
    assert list(client.annotations("meadow", at_once=2)) == list(client.annotations("meadow"))


def test_the_state_of_a_server_and_the_last_release(client: Client) -> None:
    assert client.release == 0
    assert client.status() == Status(True, "1-aaaaaaaa", 1, None)
    assert client.release == 1


def test_errors_are_those_of_the_python_api(client: Client, engine: SearchEngine) -> None:
    wrong = Query((Dialogue("hello"),), Filters(titles=("no such film",)))
    with pytest.raises(UsageError) as expected:
        engine.search(wrong)
    with pytest.raises(UsageError) as found:
        client.search(wrong)
    assert (found.value.message, found.value.fields) == (expected.value.message, expected.value.fields)
    with pytest.raises(WrongCursor):
        client.search(HELLO, "forged")
    gone = Cursors(KEY).write(Place("0-bbbbbbbb", 1), {"clauses": [{"dialogue": {"text": "hello"}}], "limit": 2})
    with pytest.raises(SnapshotExpired) as expired:
        client.search(HELLO, gone)
    assert expired.value.fields["snapshot"] == "0-bbbbbbbb"
    with pytest.raises(UsageError, match="from 1 to 500"):
        client.search(replace(HELLO, limit=501))
    with pytest.raises(UsageError, match="no Unicode"):
        client.search(Query((Dialogue("\ud800"),)))


PAGE = (ROOT / "docs" / "client.md").read_text()


def test_the_page_says_the_numbers_of_the_code() -> None:
    tries = {4: "four"}[Retries().tries]
    assert f"has {tries} tries at most" in PAGE
    assert (Retries().share, Retries().few) == (0.1, 3) and "one retry for ten calls, and three more" in PAGE
    limit_s = inspect.signature(Client).parameters["limit_s"].default
    assert f"(`limit_s`, {limit_s:g} s)" in PAGE
    assert all(f"`{name}`" in PAGE for name in RETRIED)


def test_the_program_of_the_page_runs(server: Server, tmp_path: Path) -> None:
    programs = [part.partition("```")[0] for part in PAGE.split("```python\n")[1:]]
    (tmp_path / "still.jpg").write_bytes(b"\xff\x00\x00")
    program = "\n".join(programs).replace("http://127.0.0.1:8000", server.url)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MEDIAFLOW_KEY": "a key"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "harbour 8000 Hello hello" in lines and "night-shift-s01e01" in lines, done
