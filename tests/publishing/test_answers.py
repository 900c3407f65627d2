"""Answers that moved between two snapshots: each asked with its own encoders, and nothing else is told."""

from __future__ import annotations

from mediaflow.publishing.answers import moved
from mediaflow.quality.questions import Answer, Question
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import Query, Visual
from mediaflow.snapshots.reader import Releases
from tests.publishing.gates.conftest import original, studio
from tests.publishing.gates.studio import NoPictures, Studio, WordEncoders, shots

__all__ = ["original", "studio"]

CATS = Question("the third shot", Query((Visual("cats m1 2"),)), (Answer("cats", 2500),))


def gateways(studio: Studio) -> list[Gateway]:
    """Open the snapshots of all releases."""
    releases = Releases(studio.store)
    snapshots = [releases.entry(number).snapshot for number in releases.log.numbers()]
    return [Gateway(releases.at(snapshot), WordEncoders(), NoPictures()) for snapshot in snapshots]


def test_a_changed_line_moves_the_answers_to_that_line_alone(studio: Studio) -> None:
    studio.film("bees", lines=tuple(f"bees tells tale{number} of wonder{number}" for number in range(5)))
    studio.compute()
    assert studio.publish().outcome == "released"
    found = moved(*gateways(studio), [CATS])
    assert found["asked"] == 1 + 6 + 12, "the written one, six lines that differ, twelve shots"
    (one,) = found["moved"]
    assert one["question"] == "dialogue: tells tale5 wonder5"
    assert [hit["title_id"] for hit in one["before"]] == ["alps", "bees", "cats"]
    assert [hit["title_id"] for hit in one["after"]] == ["alps", "cats", "dogs"]
    assert one["before"][0] == {"title_id": "alps", "title": "Film", "start_ms": 5000}


def test_another_model_is_asked_with_its_own_encoder(studio: Studio) -> None:
    studio.stage("visual", model="m2")
    studio.paint = lambda film, model: shots(film, model if film.title_id == "cats" else "other words")
    studio.compute()
    assert studio.publish().outcome == "released"
    before, after = gateways(studio)
    found = moved(before, after, [CATS])
    first = {one["question"]: one for one in found["moved"]}
    assert first["the third shot"]["before"][0] == first["the third shot"]["after"][0], "m2 knows the words too"
    assert all(question.startswith(("visual: like ", "the third shot")) for question in first)
    assert sum(question.startswith("visual: like ") for question in first) > 6
    assert moved(before, after, [CATS]) == found, "the same questions at any time"


def test_what_a_snapshot_cannot_answer_is_no_answer(studio: Studio) -> None:
    studio.stages = [stage for stage in studio.stages if stage.name != "visual"]
    studio.film("alps", lines=("other",))
    studio.compute()
    assert studio.publish().outcome == "released", "it was taken out, which is no loss"
    found = moved(*gateways(studio), [CATS])
    (one,) = [one for one in found["moved"] if one["question"] == "the third shot"]
    assert (one["before"][0]["title_id"], one["after"]) == ("cats", [])
