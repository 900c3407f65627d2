"""One real `dagster dev`, through a day of its life; what it says of each title is the truth, and all of it.

The day is told by fixtures, each of which does something and takes a picture of what Dagster says then; backfills
wait for a daemon that looks every 30 s, so the day goes on meanwhile with other titles. The tests look at pictures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.deployment.dev import BACKFILL, UNFINISHED, Dev, Event, Run, Verdict
from tests.deployment.films import Films, file_name
from tests.deployment.place import Place
from tests.deployment.waiting import wait_until

pytestmark = pytest.mark.timeout(900)

ALPHA, BRAVO, CHARLIE, DELTA, ECHO, FOXTROT, GOLF, HOTEL = (
    f"{name}-2001" for name in ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")
)
FIRST = (ALPHA, BRAVO, CHARLIE, DELTA, ECHO, FOXTROT, GOLF)
ROOTS = ["media", "subtitles", "catalogue"]
# `visual` has no weights here: it is stopped, and nothing else minds.
STAGES = [*ROOTS, "frames", "dialogue", "brightness"]
LIMIT_S = 240


@dataclass(frozen=True)
class Picture:
    """What Dagster said at one time, and what was true then."""

    runs: list[Run]
    events: list[Event]
    verdicts: list[Verdict]
    statuses: dict[tuple[str, str], str]
    staleness: dict[tuple[str, str], str]
    revisions: dict[tuple[str, str], str]

    def run_ids(self, chosen: Callable[[Run], bool] = lambda run: True) -> set[str]:
        return {run.id for run in self.runs if chosen(run)}

    def made(self, runs: set[str]) -> Counter[tuple[str, str | None]]:
        """How many events each (asset, title) has from these runs; those of snapshot, release and models aside."""
        return Counter((e.asset, e.partition) for e in self.events if e.run in runs and e.asset in (*STAGES, "visual"))

    def failed(self) -> set[tuple[str, str]]:
        return {what for what, status in self.statuses.items() if status == "failed"}

    def reasons(self, runs: set[str]) -> dict[tuple[str, str | None], str]:
        """The reason by (asset, title) of each check that failed in these runs."""
        return {(v.asset, v.partition): v.reason for v in self.verdicts if v.run in runs and not v.passed}


def take(dev: Dev, place: Place) -> Picture:
    return Picture(dev.runs(), dev.events(), dev.verdicts(STAGES), dev.statuses(), dev.staleness(), place.revisions())


def once(stages: list[str], *titles: str) -> Counter[tuple[str, str | None]]:
    return Counter((stage, title) for stage in stages for title in titles)


def wait_settled(dev: Dev, place: Place, *titles: str) -> None:
    """Wait until the plan asks nothing more of the titles and only a backfill's runs may go on."""

    def settled() -> bool:
        unfinished = [run for run in dev.runs() if run.status in UNFINISHED and BACKFILL not in run.tags]
        return not unfinished and place.settled(*titles) and set(titles) <= set(dev.partitions())

    wait_until(settled, LIMIT_S, f"{titles} are settled", every_s=1.0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, films: Films) -> Place:
    place = Place(tmp_path_factory.mktemp("deployment"))
    for seed, title in enumerate(FIRST):
        if title == DELTA:
            films.put_garbage(place.library, title)
        else:
            films.put(place.library, title, seed=seed)
    return place


@pytest.fixture(scope="module")
def dev(place: Place) -> Iterator[Dev]:
    """`dagster dev`, after `python -m sensors` has filled the place."""
    done = place.refresh()
    assert done.returncode == 3, done.stdout + done.stderr
    with Dev(place) as dev:
        yield dev


@pytest.fixture(scope="module")
def refreshed(dev: Dev, place: Place) -> Picture:
    return take(dev, place)


@pytest.fixture(scope="module")
def backfill(dev: Dev, place: Place, refreshed: Picture) -> str:
    """A backfill by force of a range with a corrupt film in it and one that an algorithm fails on, just launched."""
    place.sulk(CHARLIE)
    return dev.backfill([BRAVO, CHARLIE, DELTA, ECHO], STAGES, force=True)


@pytest.fixture(scope="module")
def runs_while_quiet(dev: Dev, refreshed: Picture, backfill: str) -> list[Run]:
    """Runs that sensors asked for while nothing happened."""
    before = dev.ticks()
    wait_until(lambda: all(now >= before[name] + 2 for name, now in dev.ticks().items()), LIMIT_S, "all have ticked")
    known = refreshed.run_ids()
    return [run for run in dev.runs() if run.id not in known and BACKFILL not in run.tags]


@pytest.fixture(scope="module")
def scattered(dev: Dev, place: Place, films: Films, runs_while_quiet: list[Run]) -> Picture:
    """Three titles far apart get other bytes, damaged ones in the middle, and a new film is copied."""
    films.put(place.library, ALPHA, seed=20)
    films.put_damaged(place.library, FOXTROT, seed=25)
    films.put(place.library, GOLF, seed=26)
    films.put(place.library, HOTEL, seed=27)
    wait_settled(dev, place, ALPHA, FOXTROT, GOLF, HOTEL)
    return take(dev, place)


@pytest.fixture(scope="module")
def ranged(dev: Dev, place: Place, backfill: str, scattered: Picture) -> Picture:
    wait_until(lambda: dev.backfill_status(backfill).startswith("COMPLETED"), LIMIT_S, "the backfill is done")
    return take(dev, place)


@pytest.fixture(scope="module")
def again(dev: Dev, place: Place, backfill: str, ranged: Picture) -> str:
    """A backfill of what failed in the first, just launched: the algorithm's trouble is over, the film still bad."""
    place.sulk()
    return dev.backfill_from_failure(backfill)


@pytest.fixture(scope="module")
def subtitled(dev: Dev, place: Place, again: str, ranged: Picture) -> Picture:
    """One subtitle file changes."""
    file = place.library / f"{file_name(GOLF)}.en.srt"
    file.write_text(file.read_text() + "\n99\n00:00:02,000 --> 00:00:02,500\nOne line more.\n")
    wait_until(lambda: any(fact == ("subtitles", GOLF) for fact in place.facts("done")[-4:]), LIMIT_S, "it was read")
    wait_settled(dev, place, GOLF)
    return take(dev, place)


@pytest.fixture(scope="module")
def by_hand(dev: Dev, place: Place, subtitled: Picture) -> tuple[Picture, str, str]:
    """A fresh title is materialized, once as it is and once, for its catalogue, by force."""
    plain = dev.materialize(ALPHA, STAGES)
    forced = dev.materialize(HOTEL, ["catalogue"], force=True)
    wait_until(lambda: _finished(dev, plain, forced), LIMIT_S, "the runs are done")
    return take(dev, place), plain, forced


@pytest.fixture(scope="module")
def healed(dev: Dev, place: Place, again: str, by_hand: tuple[Picture, str, str]) -> Picture:
    wait_until(lambda: dev.backfill_status(again).startswith("COMPLETED"), LIMIT_S, "the backfill is done")
    return take(dev, place)


@pytest.fixture(scope="module")
def mended(dev: Dev, place: Place, films: Films, healed: Picture) -> Picture:
    """Good films come in place of the two bad ones."""
    films.put(place.library, DELTA, seed=30)
    films.put(place.library, FOXTROT, seed=31)
    wait_until(lambda: set(place.revisions()) >= set(once(STAGES, *FIRST, HOTEL)), LIMIT_S, "both are whole", 1.0)
    wait_settled(dev, place, DELTA, FOXTROT)
    return take(dev, place)


@pytest.fixture(scope="module")
def removed(dev: Dev, place: Place, films: Films, mended: Picture) -> Picture:
    """A film is removed; another is overwritten by garbage."""
    for file in place.library.glob(f"{file_name(BRAVO)}.*"):
        file.unlink()
    films.put_garbage(place.library, ECHO)
    wait_until(lambda: BRAVO not in dev.partitions(), LIMIT_S, "the partition is gone")
    wait_settled(dev, place, ECHO)
    return take(dev, place)


@pytest.fixture(scope="module")
def reborn(dev: Dev, place: Place, removed: Picture) -> Iterator[tuple[Picture, list[tuple[str, str]]]]:
    """The event log is lost, and a new `dagster dev` starts with nothing; with what the ledger had until then."""
    dev.stop()
    done = place.facts("done")
    place.forget_dagster()
    with Dev(place) as other:
        wait_until(lambda: other.idle() and _refilled(other, place), LIMIT_S, "the log is refilled", 1.0)
        yield take(other, place), done


def _refilled(dev: Dev, place: Place) -> bool:
    """Say whether what is fresh is shown, and the last thing that a refill records: the release."""
    statuses = dev.statuses()
    shown = all(statuses.get(what) == "materialized" for what in place.revisions())
    return shown and any(event.asset == "release" for event in dev.events())


def _finished(dev: Dev, *ids: str) -> bool:
    return all(run.status not in UNFINISHED for run in dev.runs() if run.id in ids)


def _mine(picture: Picture, backfill: str) -> set[str]:
    return picture.run_ids(lambda run: run.tags.get(BACKFILL) == backfill)


class TestSensorsInProcess:
    """(iv) `python -m sensors`, asked for through the web server that came after."""

    def test_exactly_the_processed_titles_are_materialized_once(self, refreshed: Picture) -> None:
        good = [title for title in FIRST if title != DELTA]
        expected = once(STAGES, *good) + once(["subtitles", "catalogue"], DELTA)
        assert refreshed.made(refreshed.run_ids()) == expected
        assert {what for what, status in refreshed.statuses.items() if status == "materialized"} == set(expected)

    def test_the_corrupt_one_is_failed_on_the_stage_that_broke(self, refreshed: Picture, dev: Dev) -> None:
        assert refreshed.failed() == {("media", DELTA)}
        reasons = refreshed.reasons(refreshed.run_ids())
        assert set(reasons) == {("media", DELTA)}
        assert "cannot be read as media" in reasons["media", DELTA]
        run = next(v.run for v in refreshed.verdicts)
        assert f"{DELTA}: media: {reasons['media', DELTA]}" in dev.failure(run)

    def test_data_versions_are_revisions_and_dagster_calls_them_fresh(self, refreshed: Picture) -> None:
        assert {(e.asset, e.partition): e.version for e in refreshed.events if e.partition} == refreshed.revisions
        assert {refreshed.staleness[what] for what in refreshed.revisions} == {"FRESH"}

    def test_no_stage_has_an_event_without_a_title(self, refreshed: Picture) -> None:
        assert {e.asset for e in refreshed.events if e.partition is None} == {"snapshot", "release"}


class TestQuiet:
    def test_nothing_changed_starts_no_run(self, runs_while_quiet: list[Run]) -> None:
        # A model that cannot be had is asked for again, less and less often: that is not quiet, and not this.
        assert [run for run in runs_while_quiet if run.tags["mediaflow/lane"] != "models"] == []


class TestScattered:
    """(i) A run that sensors ask for, over titles that are no neighbours."""

    def new_runs(self, scattered: Picture, refreshed: Picture) -> set[str]:
        return scattered.run_ids(lambda run: BACKFILL not in run.tags) - refreshed.run_ids()

    def test_one_run_is_about_the_scattered_titles(self, scattered: Picture, refreshed: Picture) -> None:
        new = self.new_runs(scattered, refreshed)
        titles = [{e.partition for e in scattered.events if e.run == run and e.asset == "media"} for run in new]
        assert {ALPHA, FOXTROT, GOLF} in titles

    def test_exactly_what_changed_is_materialized_once(self, scattered: Picture, refreshed: Picture) -> None:
        made = scattered.made(self.new_runs(scattered, refreshed))
        fresh = once(STAGES, HOTEL) + once(STAGES, ALPHA, GOLF) + once([*ROOTS, "dialogue"], FOXTROT)
        assert made == fresh

    def test_the_damaged_one_is_failed_on_its_frames(self, scattered: Picture, refreshed: Picture, dev: Dev) -> None:
        new = self.new_runs(scattered, refreshed)
        assert {what for what in scattered.failed() if what[1] == FOXTROT} == {("frames", FOXTROT)}
        reasons = scattered.reasons(new)
        assert set(reasons) == {("frames", FOXTROT)}
        assert "damaged all over" in reasons["frames", FOXTROT]
        run = next(v.run for v in scattered.verdicts if v.asset == "frames" and v.partition == FOXTROT)
        assert f"{FOXTROT}: frames: " in dev.failure(run)

    def test_versions_are_revisions_and_fresh(self, scattered: Picture) -> None:
        for what in once(STAGES, ALPHA, GOLF, HOTEL):
            newest = next(e for e in scattered.events if (e.asset, e.partition) == what)
            assert newest.version == scattered.revisions[what[0], str(what[1])]
            assert scattered.staleness[what[0], str(what[1])] == "FRESH"


class TestRange:
    """(ii) A backfill of a range, launched as the web pages do."""

    def test_exactly_the_processed_titles_are_materialized_once(self, ranged: Picture, backfill: str) -> None:
        expected = once(STAGES, BRAVO, ECHO) + once([s for s in STAGES if s != "brightness"], CHARLIE)
        assert ranged.made(_mine(ranged, backfill)) == expected + once(["subtitles", "catalogue"], DELTA)

    def test_failures_and_what_waits_for_them_are_shown(self, ranged: Picture, backfill: str, dev: Dev) -> None:
        failed = {("media", DELTA), ("frames", DELTA), ("dialogue", DELTA), ("brightness", DELTA)}
        failed.add(("brightness", CHARLIE))
        assert {what for what in ranged.failed() if what[1] != FOXTROT} == failed
        runs = _mine(ranged, backfill)
        reasons = ranged.reasons(runs)
        assert set(reasons) == failed
        assert "cannot be read as media" in reasons["media", DELTA]
        assert reasons["frames", DELTA].startswith("media is missing")
        assert reasons["brightness", CHARLIE] == "RuntimeError: the lamp is out"
        (run,) = runs
        assert "the lamp is out" in dev.failure(run)

    def test_force_computes_and_keeps_the_revision(self, ranged: Picture, refreshed: Picture, backfill: str) -> None:
        runs = _mine(ranged, backfill)
        assert {e.description for e in ranged.events if e.run in runs} == {"computed"}
        for event in ranged.events:
            if event.run in runs and event.partition != CHARLIE:
                assert event.version == refreshed.revisions[event.asset, str(event.partition)]


class TestFromFailure:
    """(iii) A backfill of the partitions that failed."""

    def test_only_what_failed_is_done_again(self, healed: Picture, again: str) -> None:
        assert healed.made(_mine(healed, again)) == once(["brightness"], CHARLIE)

    def test_the_corrupt_one_is_still_failed_and_says_why(self, healed: Picture, again: str) -> None:
        assert {("media", DELTA), ("frames", DELTA), ("dialogue", DELTA)} <= healed.failed()
        reasons = healed.reasons(_mine(healed, again))
        assert "cannot be read as media" in reasons["media", DELTA]

    def test_what_was_mended_is_materialized_and_its_check_passes(self, healed: Picture, again: str) -> None:
        assert healed.statuses["brightness", CHARLIE] == "materialized"
        runs = _mine(healed, again)
        passed = {(v.asset, v.partition) for v in healed.verdicts if v.run in runs and v.passed}
        assert passed == {("brightness", CHARLIE)}


class TestOneSubtitle:
    def test_only_its_subtitles_and_dialogue_follow(self, subtitled: Picture, ranged: Picture) -> None:
        new = subtitled.run_ids(lambda run: BACKFILL not in run.tags) - ranged.run_ids()
        assert subtitled.made(new) == once(["subtitles", "dialogue"], GOLF)
        whole = {e.asset for e in subtitled.events if e.run in new and e.partition is None}
        assert whole == {"snapshot", "release"}

    def test_every_title_stays_fresh_for_dagster(self, subtitled: Picture) -> None:
        assert {subtitled.staleness[stage, GOLF] for stage in STAGES} == {"FRESH"}

    def test_no_frame_is_decoded(self, subtitled: Picture, ranged: Picture, place: Place) -> None:
        before = Counter(e.asset for e in ranged.events)
        assert Counter(e.asset for e in subtitled.events)["frames"] == before["frames"]


class TestMaterialize:
    def test_a_fresh_title_records_the_same_versions(self, by_hand: tuple[Picture, str, str]) -> None:
        picture, plain, _ = by_hand
        events = [e for e in picture.events if e.run == plain]
        assert picture.made({plain}) == once(STAGES, ALPHA)
        assert {e.description for e in events} == {"already fresh"}
        assert all(e.version == picture.revisions[e.asset, ALPHA] for e in events)
        assert {picture.staleness[stage, ALPHA] for stage in STAGES} == {"FRESH"}

    def test_force_computes(self, by_hand: tuple[Picture, str, str]) -> None:
        picture, _, forced = by_hand
        assert [(e.asset, e.partition, e.description) for e in picture.events if e.run == forced] == [
            ("catalogue", HOTEL, "computed")
        ]


class TestMended:
    def test_the_titles_turn_materialized_and_their_checks_pass(self, mended: Picture) -> None:
        assert mended.failed() == set()
        latest = {}
        for verdict in mended.verdicts:
            latest.setdefault((verdict.asset, verdict.partition), verdict)
        assert {what for what, verdict in latest.items() if not verdict.passed} == set()
        assert latest["frames", FOXTROT].passed

    def test_dagster_calls_every_partition_fresh(self, mended: Picture) -> None:
        stages = {what: status for what, status in mended.staleness.items() if what[0] != "visual"}
        assert len(stages) == len(STAGES) * 8
        assert set(stages.values()) == {"FRESH"}

    def test_every_newest_version_is_the_revision(self, mended: Picture) -> None:
        newest: dict[tuple[str, str], str] = {}
        for event in mended.events:
            if event.partition:
                newest.setdefault((event.asset, event.partition), event.version)
        assert newest == mended.revisions


class TestRemoved:
    def test_the_partition_goes_after_the_snapshot(self, removed: Picture, place: Place) -> None:
        assert BRAVO not in {title for _, title in removed.statuses}
        assert BRAVO not in place.served()


class TestLostHome:
    def test_the_same_picture_comes_back(self, reborn: tuple[Picture, list[tuple[str, str]]], removed: Picture) -> None:
        picture, _ = reborn
        assert picture.revisions == removed.revisions
        assert picture.failed() == removed.failed() == {("media", ECHO)}
        materialized = {what for what, status in picture.statuses.items() if status == "materialized"}
        assert materialized == set(picture.revisions)
        assert {removed.statuses[what] for what in materialized} == {"materialized"}
        assert "cannot be read as media" in picture.reasons(picture.run_ids())["media", ECHO]
        newest = {(e.asset, e.partition): e.version for e in picture.events if e.partition}
        assert newest == picture.revisions
        assert {picture.staleness[what] for what in picture.revisions} == {"FRESH"}

    def test_nothing_is_computed(self, reborn: tuple[Picture, list[tuple[str, str]]], place: Place) -> None:
        _, done = reborn
        assert place.facts("done") == done

    def test_the_release_is_known_again(self, reborn: tuple[Picture, list[tuple[str, str]]], place: Place) -> None:
        picture, _ = reborn
        assert [e.version for e in picture.events if e.asset == "release"] == [place.view.current().id]
