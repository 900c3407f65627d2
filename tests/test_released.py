"""What clients of the last release rely on: what goes or changes is told, what comes is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.released import PRESENT, RELEASED, broken, main

SCHEMA, PROTO = PRESENT
# What is replaced in which file, by what, and what is said of it.
REMOVED = [
    (SCHEMA, r"  timeJoin: TimeJoinClause\n", "", "GraphQL: Clause.timeJoin was removed."),
    (
        SCHEMA,
        r"(  startMs: Int!\n  endMs: Int!\n  .*\n  score: )Float!",
        r"\1Float",
        "Hit.score changed type from Float! to",
    ),
    (SCHEMA, r"  OVERLAP\n", "", "GraphQL: OVERLAP was removed from enum type Relation."),
    (
        SCHEMA,
        r"(input TextClause \{\n)",
        r"\1  mood: String!\n",
        "A required field mood on input type TextClause was added.",
    ),
    (SCHEMA, r"  titles\(filters: Filters, ", "  titles(", "GraphQL: Query.titles arg filters was removed."),
    (PROTO, r"  rpc Explain.*\n", "", "gRPC: The method Search.Explain was removed."),
    (PROTO, r"stream Answer\)", "Answer)", "gRPC: The method Search.SearchPages changed from "),
    (
        PROTO,
        r"  optional string title = 1;\n  optional int64 time_ms",
        "  int64 time_ms",
        "Shot.title (number 1) was removed.",
    ),
    (
        PROTO,
        r"int64 time_ms = 2",
        "int32 time_ms = 2",
        "Shot.time_ms (number 2) changed its type from optional int64 to",
    ),
    (PROTO, r"repeated Hit hits = 2", "repeated Hit moments = 2", "Answer.hits (number 2) was renamed to moments."),
    (PROTO, r"  bool counted = 5;", "  optional bool counted = 5;", "changed its type from bool to optional bool."),
    (
        PROTO,
        r"  repeated Years years",
        "  Years years",
        "its type from repeated mediaflow.v1.Years to mediaflow.v1.Years.",
    ),
    (PROTO, r"message StatusRequest \{\}", "message StateRequest {}", "gRPC: The message StatusRequest was removed."),
]


@pytest.fixture
def now(tmp_path: Path) -> tuple[Path, Path]:
    """The released files once more, to be changed."""
    copies = tuple(tmp_path / path.name for path in PRESENT)
    for path in copies:
        path.write_text((RELEASED / path.name).read_text())
    schema, proto = copies
    return schema, proto


@pytest.mark.parametrize(("file", "old", "new", "said"), REMOVED, ids=[said for *_, said in REMOVED])
def test_what_goes_or_changes_is_a_sentence(now: tuple[Path, Path], file: Path, old: str, new: str, said: str) -> None:
    path = now[file == PROTO]
    changed, count = re.subn(old, new, path.read_text(), count=1)
    assert count == 1
    if "StateRequest" in new:
        changed = changed.replace("(StatusRequest)", "(StateRequest)")
    path.write_text(changed)
    found = list(broken(RELEASED, *now))
    assert any(said in sentence for sentence in found), found


def test_what_comes_is_none(now: tuple[Path, Path]) -> None:
    schema, proto = now
    assert not list(broken(RELEASED, *now))
    schema.write_text(schema.read_text().replace("input TextClause {\n", "input TextClause {\n  mood: String\n"))
    more = "message Shot {\n  optional string mood = 99;\n"
    proto.write_text(proto.read_text().replace("message Shot {\n", more) + "\nmessage New {}\n")
    assert not list(broken(RELEASED, *now))


def test_the_present_ones_still_have_all_of_the_last_release(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == ""
