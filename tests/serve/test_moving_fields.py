"""An algorithm loses a field and another gains one, in a server that runs: the schema moves with the snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import polars as pl
import pytest
from typer.testing import CliRunner

from mediaflow.cli.main import app
from mediaflow.serve.cursors import Cursors, Place
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from mediaflow.serve.grpc.face import ERROR, FIELDS
from mediaflow.snapshots.reader import Releases
from tests.deployment.waiting import wait_until
from tests.search.harbour import FACES, LOUD, make_world
from tests.search.world import LABEL, SCORE, World
from tests.serve.conftest import Server, start, stop
from tests.serve.process import KEY, release, release_manifest

AGES = """query Ages($after: String) {
  search(clauses: [{by: {faces: {age: {least: 1}}}}], sortBy: {own: FACES_AGE}, first: 1, after: $after) {
    snapshot nextCursor hits { titleId sources { own { ... on FacesRow { age } } } }
  }
}"""
PEAKS = (
    "query($by: [Clause!]!) { search(clauses: $by) { snapshot hits { sources { own { ... on LoudRow { peak } } } } } }"
)
SORTABLE = ["DIALOGUE_KIND", "DIALOGUE_LANGUAGE", "DIALOGUE_SDH", "DIALOGUE_SPEAKER", "DIALOGUE_TRACK"]
SORTABLE += ["FACES_NAME", "LOUD_LEVEL", "LOUD_PEAK"]
BY_PEAK = [{"by": {"loud": {"peak": {"least": 0.5}}}}]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The harbour, released."""
    world = make_world(tmp_path / "store")
    release(tmp_path, world)
    return world


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[Server]:
    server = start(tmp_path)
    yield server
    assert stop(server) == 0


def move(server: Server, world: World) -> None:
    """Release a snapshot in which faces have no age any more, and what is loud has a peak; wait until it answers."""
    before = Releases(world.store).current().manifest
    world.algorithm("faces", "label", {**LABEL, "name": pl.String}, FACES, ("name",), generation="g2")
    louder = [row | {"peak": row["score"]} for row in LOUD]
    columns = {**SCORE, "level": pl.Float32, "peak": pl.Float32}
    world.algorithm("loud", "range", columns, louder, ("level", "peak"), generation="g2")
    tables = {**before.tables, **world.tables}
    after = replace(before, id="2-bbbbbbbb", epoch=2, algorithms=dict(world.parts), tables=tables)
    release_manifest(server.home, 2, after)
    wait_until(
        lambda: server.ask("{ status { snapshot } }")["data"]["status"]["snapshot"] == after.id, 30, "it answers"
    )


def test_the_schema_moves_with_the_snapshot(served: Server, world: World) -> None:
    page = served.ask(AGES)["data"]["search"]
    assert page["hits"] == [{"titleId": "harbour", "sources": [{"own": {"age": 30}}]}]
    for error in served.ask(PEAKS, by=BY_PEAK)["errors"]:
        assert error["extensions"]["code"] == "NoSuchField"
        assert error["extensions"]["fields"] == {"algorithm": "loud", "field": "peak", "there": ["level"]}
    move(served, world)
    # The next page is of the snapshot that it was begun in, and asked for by its schema.
    second = served.ask(AGES, after=page["nextCursor"])["data"]["search"]
    assert second["hits"] == [{"titleId": "meadow", "sources": [{"own": {"age": 40}}]}]
    assert second["snapshot"] == page["snapshot"]
    written = AGES.replace("after: $after", f"after: {json.dumps(page['nextCursor'])}").replace("($after: String)", "")
    assert served.ask(written)["data"]["search"] == second
    # A new question is one of the new snapshot.
    errors = served.ask(AGES)["errors"]
    assert {error["extensions"]["code"] for error in errors} == {"NoSuchField"}
    assert [error["extensions"]["fields"] for error in errors] == [
        {"algorithm": "faces", "field": "age", "there": ["name"]},
        {"field": "FACES_AGE", "there": ["DIALOGUE_FORCED", *SORTABLE]},
        {"algorithm": "faces", "field": "age", "there": ["name"]},
    ]
    found = served.ask(PEAKS, by=BY_PEAK)["data"]["search"]
    assert found["hits"] == [{"sources": [{"own": {"peak": pytest.approx(0.9)}}]}] and found["snapshot"] == "2-bbbbbbbb"


def test_other_faces_say_the_same(served: Server, world: World) -> None:
    stub = stubs.SearchStub(grpc.insecure_channel(served.grpc))
    clause = {"where": {"algorithm": "faces", "conditions": [{"field": "age", "value": {"number_value": 30}}]}}
    request = messages.SearchRequest(query=messages.Query(clauses=[clause]))
    (hit,) = stub.Search(request).hits
    assert dict(hit.sources[0].fields) == {"age": 30.0, "name": "Ann", "seen": True}
    move(served, world)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Search(request)
    error: Any = caught.value
    told = dict(error.trailing_metadata())
    assert (error.code(), told[ERROR]) == (grpc.StatusCode.INVALID_ARGUMENT, "NoSuchField")
    assert json.loads(told[FIELDS]) == {"algorithm": "faces", "field": "age", "there": ["name"]}
    environment = {"MEDIAFLOW_HOME": str(served.home)}
    done = CliRunner().invoke(app, ["search", "--where", "faces.age>=30"], env=environment)
    assert (done.exit_code, done.stderr) == (2, f"{error.details()}\n")
    ordered = ["search", "--where", "loud.peak>=0.1", "--where", "loud.level<=0", "--sort", "loud.peak", "--json"]
    done = CliRunner().invoke(app, ordered, env=environment)
    assert [json.loads(line)["title_id"] for line in done.stdout.splitlines()] == ["meadow", "harbour"]


def test_a_cursor_whose_snapshot_has_gone_still_says_so(served: Server) -> None:
    gone = Cursors(KEY).write(Place("0-aaaaaaaa", 1), None)
    (error,) = served.ask(AGES, after=gone)["errors"]
    assert error["extensions"]["code"] == "SnapshotExpired"
    (error,) = served.ask(AGES, after="forged")["errors"]
    assert error["extensions"]["code"] == "WrongCursor"
