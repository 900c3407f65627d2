"""Why: the two revisions of an artifact field by field, and the way down to the root that differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mediaflow.errors import UsageError
from mediaflow.planning.ledger import DONE, QUARANTINED, Fact, Ledger
from mediaflow.planning.plan import plan
from mediaflow.planning.stage import Stage, StageGraph
from mediaflow.planning.why import Link, Why, why
from tests.planning.world import FRAMES, STAGES, VISUAL, A, Title, record

GRAPH = StageGraph(STAGES)


def differing(link: Link) -> dict[str, tuple[str | None, str | None]]:
    return {one.field: (one.has, one.should) for one in link.fields if one.differs}


def way(found: Why) -> list[str]:
    return [link.stage for link in found.chain]


def changed(stage: Stage) -> StageGraph:
    return StageGraph([stage if old.name == stage.name else old for old in STAGES])


def test_changed_bytes_are_followed_from_the_artifact_to_the_root(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A])
    other = replace(A, roots=A.roots | {"media": "a2"})
    found = why(GRAPH, other, ledger, "visual")
    assert not found.fresh
    assert way(found) == ["visual", "frames", "media"]
    visual, frames, media = found.chain
    assert (visual.reason, frames.reason, media.reason) == ("input:frames", "input:media", "media")
    assert differing(visual) == {"input:frames": (frames.has, frames.should)}
    assert differing(frames) == {"input:media": (media.has, media.should)}
    assert differing(media) == {"bytes": ("a1", "a2")}
    assert [link.root for link in found.chain] == [False, False, True]
    assert [one.field for one in visual.fields] == ["name", "code version", "parameter:k", "model", "input:frames"]


def test_an_input_that_was_made_anew_already_still_explains_what_reads_it(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A])
    other = replace(A, roots=A.roots | {"media": "a2"})
    record(ledger, GRAPH, [other], only="media")
    media = why(GRAPH, other, ledger, "frames").chain[-1]
    assert (media.stage, media.state) == ("media", "fresh")
    assert differing(media) == {"bytes": ("a1", "a2")}


@pytest.mark.parametrize(
    ("stage", "artifact", "expected"),
    [
        (replace(VISUAL, code_version="2"), "visual", {"code version": ("1", "2")}),
        (
            replace(VISUAL, parameters={"k": 2, "l": [1]}),
            "visual",
            {"parameter:k": ("1", "2"), "parameter:l": (None, "[1]")},
        ),
        (replace(VISUAL, model="m2"), "visual", {"model": ("m1", "m2")}),
        (replace(FRAMES, code_version="2"), "frames", {"code version": ("1", "2")}),
    ],
)
def test_what_was_declared_anew_is_the_root(
    ledger: Ledger, stage: Stage, artifact: str, expected: dict[str, tuple[str | None, str | None]]
) -> None:
    record(ledger, GRAPH, [A])
    found = why(changed(stage), A, ledger, "visual")
    root = next(link for link in found.chain if link.root)
    assert (root.stage, differing(root)) == (artifact, expected)
    assert found.chain[-1] is root, "nothing below the root"


def test_without_an_artifact_all_that_is_not_fresh_is_told_once(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A])
    assert why(GRAPH, A, ledger) == Why("a", True, ())
    found = why(GRAPH, replace(A, roots=A.roots | {"media": "a2"}), ledger)
    assert sorted(way(found)) == ["dialogue", "frames", "media", "visual"]


def test_a_fresh_artifact_shows_that_all_is_the_same(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A])
    found = why(GRAPH, A, ledger, "visual")
    assert found.fresh and way(found) == ["visual"]
    assert found.chain[0].has == found.chain[0].should
    assert {one.differs for one in found.chain[0].fields} == {False}


def test_what_was_never_built_or_waits_leads_to_what_it_waits_for(ledger: Ledger) -> None:
    assert {(link.has, link.fields) for link in why(GRAPH, A, ledger, "visual").chain} == {(None, ())}
    record(ledger, GRAPH, [A], only="media")
    record(ledger, GRAPH, [A], QUARANTINED, only="frames")
    found = why(GRAPH, A, ledger, "visual")
    assert [(link.stage, link.state, link.reason) for link in found.chain] == [
        ("visual", "blocked", "waits for frames"),
        ("frames", "quarantined", "broke"),
    ]


def test_facts_of_earlier_versions_that_know_less_go_on_working(ledger: Ledger) -> None:
    revision = {row["stage"]: row["revision"] for row in plan(GRAPH, [A], ledger).frame.iter_rows(named=True)}
    root = {"code": "1", "parameters": {}, "model": None, "inputs": {}}
    ledger.append([Fact("a", "media", revision["media"], "g", DONE, recipe=root)])
    ledger.append([Fact("a", "subtitles", revision["subtitles"], "g", DONE)])
    other = Title("a", 1, {"media": "a2", "subtitles": "s2"})
    found = {link.stage: link for link in why(GRAPH, other, ledger).chain}
    assert found["subtitles"].reason == "never built", "nothing is known of what it was made of"
    said = {one.field: one.differs for one in found["media"].fields}
    assert said == {"name": False, "code version": False, "model": False, "bytes": None}
    assert {one.differs for one in found["subtitles"].fields} == {None}


def test_an_unknown_artifact_is_a_sentence_that_names_those_there_are(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="There is no artifact 'sound': a title has subtitles, media, "):
        why(GRAPH, A, ledger, "sound")
