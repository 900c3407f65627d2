"""The collector frees what nothing needs, and all of that; what is needed stays, whoever needs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mediaflow.models.record import weights_key
from mediaflow.planning.ledger import COLLECTED, DONE
from mediaflow.planning.plan import FRESH
from mediaflow.publishing.epochs import Epochs
from mediaflow.publishing.rollback import NotHeld, resume, rollback
from mediaflow.quality.evaluation import Evaluation
from mediaflow.quality.stored import keep, stored
from mediaflow.snapshots.history import lines
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import FENCE
from mediaflow.storage import artifacts, layout
from mediaflow.storage.objects import FolderStore
from tests.publishing.collector.keeping import WEEK_S, age, collect, collector, files, manifests, unnamed
from tests.publishing.world import World, revisions_agree


@pytest.fixture
def world(sampled: World) -> World:
    """Three releases: films added and changed, then one changed back."""
    sampled.publish()
    sampled.film("alps", media="m3")
    sampled.compute()
    sampled.publish()
    return sampled


def released(world: World) -> list[str]:
    return [line["snapshot"] for line in lines(world.store)]


def test_a_run_leaves_the_current_snapshot_whole_and_no_file_that_nothing_names(world: World) -> None:
    first, second, third = released(world)
    before = world.answers()
    done = collect(world)
    assert (done.outcome, set(done.snapshots), dict(done.leaving)) == ("collected", {first, second}, {})
    assert done.versions and done.artifacts and done.size_bytes
    assert set(manifests(world.store)) == {third}
    assert not list(world.store.list(layout.CONDEMNED))
    assert unnamed(world) == []
    assert world.answers() == before == world.expected()
    assert revisions_agree(world.reader())
    assert not world.due()
    world.film("bees", lines=("after",))
    world.compute()
    assert world.publish().outcome == "released"
    assert world.answers() == world.expected()


def test_the_last_snapshots_are_kept_whole(world: World) -> None:
    first, second, third = released(world)
    done = collect(world, keep=1)
    assert done.snapshots == (first,)
    assert set(manifests(world.store)) == {second, third}
    for snapshot in (second, third):
        assert revisions_agree(Releases(world.store).at(snapshot))
    assert unnamed(world) == []


def test_a_dry_run_says_the_same_and_writes_nothing(world: World) -> None:
    age(world.store, WEEK_S + 3600)
    before = files(world.store)
    said = collect(world, dry_run=True)
    assert files(world.store) == before
    done = collect(world)
    assert said.to_json() | {"dry_run": False} == done.to_json()
    freed = sum(map(len, before.values())) - sum(map(len, files(world.store).values()))
    # What the run itself writes: its epoch, a fence, a seal a table, a row in the ledger.
    assert 0 <= done.size_bytes - freed < 40_000


def test_a_second_run_frees_nothing_and_writes_no_version(world: World) -> None:
    collect(world)
    tables = {key for key in files(world.store) if "/_versions/" in key}
    again = collect(world)
    assert (again.snapshots, again.versions, again.files, again.artifacts) == ((), 0, 0, 0)
    assert {key for key in files(world.store) if "/_versions/" in key} == tables


def test_people_are_told_of_no_fence(world: World) -> None:
    before = lines(world.store)
    collect(world)
    newest = Releases(world.store).newest()
    assert newest is not None and newest.kind == FENCE
    told = Releases(world.store).told()
    assert told is not None and (told.n, told.snapshot) == (3, released(world)[-1])
    assert [(line["number"], line["state"]) for line in lines(world.store)] == [
        (1, "gone"),
        (2, "gone"),
        (3, "current"),
    ]
    assert [line["at_ms"] for line in lines(world.store)] == [line["at_ms"] for line in before]
    with pytest.raises(NotHeld, match="number 3 is current"):
        resume(world.store)


def test_releases_that_are_held_stay_held(world: World) -> None:
    first = released(world)[0]
    rollback(world.store, first, "better before")
    answers = world.answers()
    assert collect(world).outcome == "collected"
    assert world.answers() == answers
    assert world.publish().outcome == "held"
    resume(world.store)
    assert world.publish().outcome == "released"
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())


def test_what_a_pin_or_an_engine_holds_stays_until_the_lease_is_over(world: World) -> None:
    first, second, third = released(world)
    pin = {"snapshot": first, "ttl_ms": 60_000, "who": "somebody", "why": "looking"}
    world.store.put(layout.pin("p1"), json.dumps(pin).encode())
    engine = {"kind": "search", "ttl_ms": 10_000, "open": [second], "ready": [], "n": 2}
    world.store.put(layout.engine("e1"), json.dumps(engine).encode())
    assert collect(world).snapshots == ()
    assert set(manifests(world.store)) == {first, second, third}
    # Its owner's time is over, the margin is not.
    age(world.store, 15, "engines")
    assert collect(world).snapshots == ()
    age(world.store, 15, "engines")
    assert collect(world).snapshots == (second,)
    assert revisions_agree(Releases(world.store).at(first))
    world.store.delete(layout.pin("p1"))
    assert collect(world).snapshots == (first,)
    world.store.delete(layout.engine("e1"))
    assert unnamed(world) == []


def test_what_was_marked_and_is_needed_again_is_shown_as_leaving(world: World) -> None:
    first = released(world)[0]
    world.store.put_if_absent(layout.condemned(first), b'{"epoch": 1}')
    pin = {"snapshot": first, "ttl_ms": 60_000, "who": "somebody"}
    world.store.put(layout.pin("p1"), json.dumps(pin).encode())
    done = collect(world)
    assert done.leaving == {first: "pin p1 (somebody) has it open"}
    assert first in manifests(world.store)
    world.store.delete(layout.pin("p1"))
    assert first in collect(world).snapshots
    assert not list(world.store.list(layout.CONDEMNED))


def test_a_generation_that_nothing_names_is_emptied_and_can_come_back(world: World) -> None:
    collect(world)
    old = world.reader().manifest.algorithms["objects"].table
    world.stage("objects", model="m2")
    world.compute()
    world.publish()
    done = collect(world)
    assert done.tables == (old,)
    folder = Path(world.store.uri(layout.table(old)))
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 1_500
    assert unnamed(world) == []
    assert collect(world).tables == ()
    world.stage("objects", model="m1")
    assert not world.plan().frame.filter(stage="objects", state=FRESH).height, "its artifacts are gone, too"
    world.compute()
    assert world.publish().outcome == "released"
    assert world.reader().manifest.algorithms["objects"].table == old
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())


def test_a_generation_that_a_kept_snapshot_names_stays_with_its_artifacts(world: World) -> None:
    world.stage("objects", model="m2")
    world.compute()
    world.publish()
    done = collect(world, keep=1)
    assert done.tables == ()
    world.stage("objects", model="m1")
    assert world.plan().frame.filter(stage="objects", state=FRESH).height == 4, "going back costs nothing"
    assert world.publish().outcome == "released"
    assert world.answers() == world.expected()


def test_a_generation_that_is_being_filled_stays(world: World) -> None:
    world.stage("objects", model="m2")
    world.compute(only="objects", titles=("alps",))
    frame = world.plan().frame
    (attempt,) = frame.filter(stage="objects", title_id="alps")["attempt"]
    age(world.store, 8 * 86_400)
    collect(world)
    assert world.plan().frame.filter(stage="objects", title_id="alps")["state"].to_list() == [FRESH]
    assert any(attempt in info.key for info in world.store.list(layout.ARTIFACTS))


def test_a_stage_whose_model_cannot_be_had_keeps_all_that_it_made(world: World) -> None:
    world.stage("objects", model="m2")
    world.compute(only="objects")
    made = set(world.plan().frame.filter(stage="objects")["attempt"])
    world.stage("objects", model=None, broken="the disk with the weights is away")
    collect(world)
    world.stage("objects", model="m2", broken="")
    again = world.plan().frame.filter(stage="objects")
    assert set(again["attempt"]) == made and set(again["state"]) == {FRESH}
    assert world.publish().outcome == "released"


def test_the_ledger_says_that_an_attempt_was_collected(world: World) -> None:
    gone = {info.key for info in world.store.list(layout.ARTIFACTS)}
    done = collect(world)
    gone -= {info.key for info in world.store.list(layout.ARTIFACTS)}
    attempts = {key.rsplit("/", 1)[1].partition(".")[0] for key in gone}
    facts = world.ledger.facts().filter(state=COLLECTED)
    assert set(facts["attempt"]) == attempts and len(attempts) == done.artifacts > 0
    # What somebody who slept says of it later changes nothing.
    late = world.ledger.facts().filter(state=DONE).filter(attempt=min(attempts)).row(0, named=True)
    assert not world.plan().frame.filter(attempt=late["attempt"]).height


def test_an_attempt_that_the_ledger_does_not_know_goes_after_a_day(world: World) -> None:
    row = world.plan().frame.filter(stage="dialogue", title_id="bees").row(0, named=True)
    parts = {"rows": artifacts.read(world.store, "dialogue", "bees", row["revision"], row["attempt"], "rows")}
    attempt = artifacts.write(world.store, "dialogue", "bees", "of-a-worker-that-died", parts)
    key = layout.artifact("dialogue", "bees", "of-a-worker-that-died", attempt, "rows")
    collect(world)
    assert world.store.exists(key)
    age(world.store, 86_460, layout.ARTIFACTS)
    assert collect(world).artifacts == 1
    assert not world.store.exists(key)
    assert unnamed(world) == []


def test_a_title_that_is_gone_leaves_nothing(world: World) -> None:
    del world.films["cats"]
    world.publish()
    collect(world)
    assert not [key for key in files(world.store) if "/cats/" in key]
    assert unnamed(world) == []


def test_old_probes_candidates_epochs_and_unfinished_writes_go(world: World) -> None:
    world.store.put(layout.probe("old"), b"")
    world.store.put(layout.candidate(1), b"{}")
    (world.store.root / ".partial" / "killed").write_bytes(b"half")
    age(world.store, 4_000, ".partial")
    age(world.store, 4_000, "probes")
    world.store.put(layout.probe("new"), b"")
    (world.store.root / ".partial" / "writing").write_bytes(b"half")
    collect(world)
    left = files(world.store)
    assert layout.probe("old") not in left and layout.probe("new") in left
    assert layout.candidate(1) not in left
    assert ".partial/killed" not in left and ".partial/writing" in left
    epochs = {key for key in left if key.startswith(layout.EPOCHS)}
    assert len(epochs) == 2, "its own, and that it has ended"
    newest = Epochs(world.store).newest()
    assert epochs == {f"{layout.EPOCHS}{newest:020d}.json", layout.epoch_end(newest)}
    assert Epochs(world.store).begin() == newest + 1


def test_leases_that_were_over_long_ago_go_and_others_stay(world: World) -> None:
    pin = {"snapshot": released(world)[0], "ttl_ms": 60_000, "who": "somebody", "why": "looking"}
    engine = {"kind": "search", "ttl_ms": 10_000, "open": [], "ready": [], "n": 2}
    bodies = {layout.pin("p"): pin, layout.engine("e"): engine}
    for key, body in bodies.items():
        world.store.put(key, json.dumps(body).encode())
    for prefix in ("pins", "engines"):
        age(world.store, 3_000, prefix)
    collect(world)
    assert all(map(world.store.exists, bodies)), "over, but not for long"
    for prefix in ("pins", "engines"):
        age(world.store, 1_000, prefix)
    collect(world)
    assert not any(map(world.store.exists, bodies))


def test_weights_go_when_their_model_is_retired_and_no_snapshot_names_it(world: World) -> None:
    named = next(iter(world.reader().manifest.encoders))
    keys = {identity: weights_key(identity, "weights") for identity in (named, "old", "spare")}
    for key in keys.values():
        world.store.put(key, b"weights")
    collector(world, retired=[named, "old"]).collect()
    assert {identity for identity, key in keys.items() if world.store.exists(key)} == {named, "spare"}


def test_pictures_of_snapshots_that_are_gone_leave_the_cache(world: World, tmp_path: Path) -> None:
    *gone, current = released(world)
    for snapshot in (*gone, current):
        (tmp_path / "cache" / "thumbnails" / snapshot).mkdir(parents=True)
        (tmp_path / "cache" / "thumbnails" / snapshot / "alps-10.jpg").write_bytes(b"picture")
    collector(world, cache=tmp_path / "cache").collect()
    assert [path.name for path in (tmp_path / "cache" / "thumbnails").iterdir()] == [current]


def test_what_was_measured_goes_with_its_snapshot(world: World) -> None:
    *gone, current = released(world)
    for snapshot in (*gone, current):
        keep(world.store, Evaluation(snapshot, "golden.toml", "d", 0, {}, ()))
    collect(world, keep=2)
    assert len(stored(world.store)) == 3
    said = collect(world, dry_run=True)
    assert len(stored(world.store)) == 3
    assert said.to_json() | {"dry_run": False} == collect(world).to_json()
    assert [one.snapshot for one in stored(world.store)] == [current]
    assert said.objects >= len(gone)


def test_while_a_publisher_is_at_work_nothing_is_deleted(world: World) -> None:
    Epochs(world.store).begin()
    before = files(world.store)
    assert collect(world).outcome == "busy"
    assert files(world.store) == before


def test_before_the_first_release_nothing_is_deleted(store: FolderStore) -> None:
    world = World(store)
    world.film("alps")
    world.compute()
    assert collect(world).outcome == "nothing released"
    assert world.publish().outcome == "released"
