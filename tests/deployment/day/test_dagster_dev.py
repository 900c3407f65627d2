"""One real `dagster dev`, through a day of its life; what it says of each title is the truth, and all of it.

The day is told by the fixtures beside this file; the tests look at the pictures that they take.
"""

from __future__ import annotations

from collections import Counter

import pytest

from resources.code import CHANGED
from tests.deployment.day.picture import (
    ALPHA,
    BRAVO,
    CHARLIE,
    DELTA,
    ECHO,
    FIRST,
    FOXTROT,
    GOLF,
    HOTEL,
    ROOTS,
    STAGES,
    Picture,
    once,
)
from tests.deployment.dev import Dev, Run
from tests.deployment.place import Place

pytestmark = pytest.mark.timeout(900)


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

    def test_one_run_is_about_the_scattered_titles(self, scattered: Picture, refreshed: Picture) -> None:
        new = scattered.runs_of_sensors_since(refreshed)
        titles = [{e.partition for e in scattered.events if e.run == run and e.asset == "media"} for run in new]
        assert {ALPHA, FOXTROT, GOLF} in titles

    def test_exactly_what_changed_is_materialized_once(self, scattered: Picture, refreshed: Picture) -> None:
        made = scattered.made(scattered.runs_of_sensors_since(refreshed))
        fresh = once(STAGES, HOTEL) + once(STAGES, ALPHA, GOLF) + once([*ROOTS, "dialogue"], FOXTROT)
        assert made == fresh

    def test_the_damaged_one_is_failed_on_its_frames(self, scattered: Picture, refreshed: Picture, dev: Dev) -> None:
        new = scattered.runs_of_sensors_since(refreshed)
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
        assert ranged.made(ranged.runs_of(backfill)) == expected + once(["subtitles", "catalogue"], DELTA)

    def test_failures_and_what_waits_for_them_are_shown(self, ranged: Picture, backfill: str, dev: Dev) -> None:
        failed = {("media", DELTA), ("frames", DELTA), ("dialogue", DELTA), ("brightness", DELTA)}
        failed.add(("brightness", CHARLIE))
        assert {what for what in ranged.failed() if what[1] != FOXTROT} == failed
        runs = ranged.runs_of(backfill)
        reasons = ranged.reasons(runs)
        assert set(reasons) == failed
        assert "cannot be read as media" in reasons["media", DELTA]
        assert reasons["frames", DELTA].startswith("media is missing")
        assert reasons["brightness", CHARLIE] == "RuntimeError: the lamp is out"
        (run,) = runs
        assert "the lamp is out" in dev.failure(run)

    def test_force_computes_and_keeps_the_revision(self, ranged: Picture, refreshed: Picture, backfill: str) -> None:
        runs = ranged.runs_of(backfill)
        assert {e.description for e in ranged.events if e.run in runs} == {"computed"}
        for event in ranged.events:
            if event.run in runs and event.partition != CHARLIE:
                assert event.version == refreshed.revisions[event.asset, str(event.partition)]


class TestFromFailure:
    """(iii) A backfill of the partitions that failed."""

    def test_only_what_failed_is_done_again(self, healed: Picture, again: str) -> None:
        assert healed.made(healed.runs_of(again)) == once(["brightness"], CHARLIE)

    def test_the_corrupt_one_is_still_failed_and_says_why(self, healed: Picture, again: str) -> None:
        assert {("media", DELTA), ("frames", DELTA), ("dialogue", DELTA)} <= healed.failed()
        reasons = healed.reasons(healed.runs_of(again))
        assert "cannot be read as media" in reasons["media", DELTA]

    def test_what_was_mended_is_materialized_and_its_check_passes(self, healed: Picture, again: str) -> None:
        assert healed.statuses["brightness", CHARLIE] == "materialized"
        runs = healed.runs_of(again)
        passed = {(v.asset, v.partition) for v in healed.verdicts if v.run in runs and v.passed}
        assert passed == {("brightness", CHARLIE)}


class TestOneSubtitle:
    def test_only_its_subtitles_and_dialogue_follow(self, subtitled: Picture, ranged: Picture) -> None:
        new = subtitled.runs_of_sensors_since(ranged)
        assert subtitled.made(new) == once(["subtitles", "dialogue"], GOLF)
        whole = {e.asset for e in subtitled.events if e.run in new and e.partition is None}
        assert whole == {"snapshot", "release"}

    def test_every_title_stays_fresh_for_dagster(self, subtitled: Picture) -> None:
        assert {subtitled.staleness[stage, GOLF] for stage in STAGES} == {"FRESH"}

    def test_no_frame_is_decoded(self, subtitled: Picture, ranged: Picture) -> None:
        before = Counter(e.asset for e in ranged.events)
        assert Counter(e.asset for e in subtitled.events)["frames"] == before["frames"]

    def test_the_ledger_knows_no_further_attempt(self, subtitled: Picture, ranged: Picture) -> None:
        new = subtitled.facts_since(ranged)
        assert [fact for fact in new if fact[1] == GOLF] == [("subtitles", GOLF, "done"), ("dialogue", GOLF, "done")]
        # Meanwhile the second backfill tries what had failed.
        tried_again = {("media", DELTA), ("brightness", CHARLIE)}
        assert {(stage, title) for stage, title, _ in new if title != GOLF} <= tried_again


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


class TestRecoded:
    """An algorithm's file changes while the code location is loaded."""

    def test_until_the_reload_no_run_is_asked_for_and_people_are_told(self, recoded: Picture, healed: Picture) -> None:
        # What was whole before may still be published.
        quiet = ("models", "publish")
        new = recoded.run_ids(lambda run: run.tags.get("mediaflow/lane") not in quiet) - healed.run_ids()
        assert new == set()
        assert recoded.skipped["refresh"] == CHANGED

    def test_after_it_the_new_code_is_what_computes(self, mended: Picture, recoded: Picture) -> None:
        new = mended.run_ids() - recoded.run_ids()
        others = (ALPHA, BRAVO, CHARLIE, ECHO, GOLF, HOTEL)
        assert mended.made(new) == once(STAGES, DELTA, FOXTROT) + once(["brightness"], *others)


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
        assert mended.newest() == mended.revisions


class TestRemoved:
    def test_the_partition_goes_after_the_snapshot(self, removed: Picture, place: Place) -> None:
        assert BRAVO not in {title for _, title in removed.statuses}
        assert BRAVO not in place.served()


class TestLostHome:
    def test_the_same_picture_comes_back(self, reborn: Picture, removed: Picture) -> None:
        assert reborn.revisions == removed.revisions
        assert reborn.failed() == removed.failed() == {("media", ECHO)}
        materialized = {what for what, status in reborn.statuses.items() if status == "materialized"}
        assert materialized == set(reborn.revisions)
        assert {removed.statuses[what] for what in materialized} == {"materialized"}
        assert "cannot be read as media" in reborn.reasons(reborn.run_ids())["media", ECHO]
        assert {(e.asset, e.partition): e.version for e in reborn.events if e.partition} == reborn.revisions
        assert {reborn.staleness[what] for what in reborn.revisions} == {"FRESH"}

    def test_nothing_is_computed(self, reborn: Picture, removed: Picture) -> None:
        assert reborn.facts == removed.facts

    def test_the_releases_are_known_again(self, reborn: Picture, removed: Picture, place: Place) -> None:
        releases = place.view.releases
        released = [releases.entry(number).snapshot for number in releases.log.numbers()]
        assert [e.version for e in reborn.events if e.asset == "release"] == released[::-1]
        assert released[-1] == removed.release == reborn.release
