"""Who may not see some titles is told by every field of both faces what a library says that has never known them.

The questions are drawn from the schema and the proto file as they stand: a field that is added is asked too. An answer
and its twin are equal byte by byte, errors and cursors included; only how long it took is left out.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from graphql import GraphQLSchema
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.search.titles.rights import Rights
from mediaflow.serve.graphql.schema import make_schema
from mediaflow.serve.graphql.schemas import Schemas
from mediaflow.serve.work import Work
from tests.conftest import examples
from tests.search.harbour import make_world
from tests.search.world import BOX, TEXT, World
from tests.serve.access.anything import a_message, a_request, with_cursor
from tests.serve.access.library import METHODS, Library, opened
from tests.serve.process import OUT, engine, release

HIDDEN = frozenset({"harbour", "night-shift-s01e01"})
SEEN = Rights(frozenset({"meadow", "night-shift-s01e02", "night-shift-s02e01"}))
_QUERY = make_schema(Work(1)).query_type
assert _QUERY
ROOTS = sorted(_QUERY.fields)
# How long something took, and which of all requests it was.
MEASURED = ("cpuMs", "cpu_ms", "requestId")


def a_world(home: Path, without: frozenset[str] = frozenset()) -> World:
    world = make_world(home / "store", without)
    world.algorithm("onscreen_text", "boxed_text", {**TEXT, **BOX}, [OUT])
    numbers = tuple(at for at, one in enumerate(world.titles) if one["title_id"] in ("harbour", "meadow"))
    world.parts["faces"] = dataclasses.replace(world.parts["faces"], pending=numbers)
    return world


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> GraphQLSchema:
    """That of the snapshot, with the fields of its algorithms."""
    return Schemas(Work(1), lambda cost: None).of(a_world(tmp_path_factory.mktemp("schema")).parts).schema


def open_library(home: Path, without: frozenset[str]) -> Iterator[Library]:
    store = release(home, a_world(home, without))
    with opened(store, engine(store), {"all": None, "some": SEEN}) as library:
        yield library


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    yield from open_library(tmp_path_factory.mktemp("whole"), frozenset())


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The same library, which has never known the hidden titles."""
    yield from open_library(tmp_path_factory.mktemp("without"), HIDDEN)


@pytest.fixture(scope="module")
def tally() -> Counter[tuple[str, str]]:
    """How often each field was answered, and answered something else to who may see all."""
    return Counter()


@pytest.mark.parametrize("root", ROOTS)
@examples(0.6)
@given(data=st.data())
def test_no_field_of_graphql_tells(
    data: st.DataObject,
    root: str,
    schema: GraphQLSchema,
    whole: Library,
    without: Library,
    tally: Counter[tuple[str, str]],
) -> None:
    body: dict[str, Any] | None = a_request(schema, root, data.draw)
    while body is not None:
        # First who may see it, so that what is remembered of their answer would show.
        everything = unmeasured_json(whole.graphql("all", body))
        told = unmeasured_json(whole.graphql("some", body))
        assert told == unmeasured_json(without.graphql("some", body))
        assert not_a_fault(told)
        if told.get("data"):
            tally[root, "answered"] += 1
        tally[root, "differs"] += told != everything
        answer = (told.get("data") or {}).get(root)
        cursor = answer.get("nextCursor") if isinstance(answer, dict) else None
        body = with_cursor(schema, root, body, cursor) if cursor else None


@pytest.mark.parametrize("method", sorted(METHODS))
@examples(0.6)
@given(data=st.data())
def test_no_method_of_grpc_tells(
    data: st.DataObject, method: str, whole: Library, without: Library, tally: Counter[tuple[str, str]]
) -> None:
    request = a_message(METHODS[method].input_type, data.draw)
    while True:
        everything = unmeasured(whole.grpc("all", method, request))
        told = unmeasured(whole.grpc("some", method, request))
        assert told == unmeasured(without.grpc("some", method, request))
        assert told[0] not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), told
        tally[method, "answered"] += not isinstance(told[0], grpc.StatusCode)
        tally[method, "differs"] += told != everything
        cursor = getattr(told[-1], "next_cursor", "")
        if not cursor or "cursor" not in request.DESCRIPTOR.fields_by_name:
            return
        request.cursor = cursor  # type: ignore[attr-defined]


def test_the_questions_were_such_that_a_leak_would_have_shown(
    tally: Counter[tuple[str, str]], record_property: Any
) -> None:
    """What tells who may see all the same as others holds nothing of a library; all else was answered, and differs."""
    same = {"status", "Status"}
    for name in (*ROOTS, *METHODS):
        assert tally[name, "answered"], f"{name} was never answered: say in anything.py how to ask it"
        assert tally[name, "differs"] or name in same, name
    record_property(
        "tried", f"{sum(n for (_, what), n in tally.items() if what == 'answered')} answers and their twins"
    )


def unmeasured(answers: list[Any]) -> list[Any]:
    for step in getattr(answers[0], "steps", ()):
        step.cpu_ms = 0
    return answers


def unmeasured_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: unmeasured_json(one) for name, one in value.items() if name not in MEASURED}
    return [unmeasured_json(one) for one in value] if isinstance(value, list) else value


def not_a_fault(told: dict[str, Any]) -> bool:
    return all(one["extensions"]["code"] != "InternalError" for one in told.get("errors", ()))
