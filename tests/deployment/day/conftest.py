"""The day: fixtures that each do something and take a picture of what Dagster says then.

A backfill's daemon looks every 30 s, and nothing sets that. The day goes on meanwhile with other titles, so its length
is that of the two backfills, the second of which repeats what failed in the first, and of what comes after them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

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
    STAGES,
    Picture,
    once,
    take,
)
from tests.deployment.dev import BACKFILL, UNFINISHED, Dev, Run
from tests.deployment.films import Films, file_name
from tests.deployment.place import BRIGHTNESS, Place
from tests.deployment.waiting import wait_until

LIMIT_S = 240
# What changes in the day: rendered before it begins, so that a title's files change all at once.
LATER = {ALPHA: 20, FOXTROT: 25, GOLF: 26, HOTEL: 27, DELTA: 30}
MENDED_FOXTROT = 31


def wait(condition: Callable[[], object], what: str) -> None:
    """Wait for what a look at Dagster says: looks cost its web server time that the runs need."""
    wait_until(condition, LIMIT_S, what, every_s=1.0)


def wait_settled(dev: Dev, place: Place, *titles: str) -> None:
    """Wait until the plan asks nothing more of the titles and only a backfill's runs may go on."""

    def settled() -> bool:
        if not place.settled(*titles) or not set(titles) <= set(dev.partitions()):
            return False
        return not [run for run in dev.runs() if run.status in UNFINISHED and BACKFILL not in run.tags]

    wait(settled, f"{titles} are settled")


def wait_ticked(dev: Dev, *sensors: str) -> None:
    """Wait until each of these sensors has been evaluated, from its beginning to its end."""
    now = time.time()
    wait(lambda: all(dev.last_ticks()[name] > now for name in sensors), f"{sensors} have ticked")


def finished(dev: Dev, *ids: str) -> bool:
    return all(run.status not in UNFINISHED for run in dev.runs() if run.id in ids)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, films: Films) -> Place:
    place = Place(tmp_path_factory.mktemp("deployment"))
    for seed, title in enumerate(FIRST):
        if title == DELTA:
            films.put_garbage(place.library, title)
        else:
            films.put(place.library, title, seed=seed)
    for title, seed in [*LATER.items(), (FOXTROT, MENDED_FOXTROT)]:
        films.render(title, seed=seed)
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
    wait_ticked(dev, *dev.last_ticks())
    known = refreshed.run_ids()
    return [run for run in dev.runs() if run.id not in known and BACKFILL not in run.tags]


@pytest.fixture(scope="module")
def scattered(dev: Dev, place: Place, films: Films, runs_while_quiet: list[Run]) -> Picture:
    """Three titles far apart get other bytes, damaged ones in the middle, and a new film is copied."""
    for title in (ALPHA, GOLF, HOTEL):
        films.put(place.library, title, seed=LATER[title])
    films.put_damaged(place.library, FOXTROT, seed=LATER[FOXTROT])
    wait_settled(dev, place, ALPHA, FOXTROT, GOLF, HOTEL)
    return take(dev, place)


@pytest.fixture(scope="module")
def ranged(dev: Dev, place: Place, backfill: str, scattered: Picture) -> Picture:
    wait(lambda: dev.backfill_status(backfill).startswith("COMPLETED"), "the backfill is done")
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
    known = len(ranged.facts)
    wait(lambda: ("subtitles", GOLF, "done") in place.all_facts()[known:], "it was read")
    wait_settled(dev, place, GOLF)
    return take(dev, place)


@pytest.fixture(scope="module")
def by_hand(dev: Dev, place: Place, subtitled: Picture) -> tuple[Picture, str, str]:
    """A fresh title is materialized, once as it is and once, for its catalogue, by force."""
    plain = dev.materialize(ALPHA, STAGES)
    forced = dev.materialize(HOTEL, ["catalogue"], force=True)
    wait(lambda: finished(dev, plain, forced), "the runs are done")
    return take(dev, place), plain, forced


@pytest.fixture(scope="module")
def healed(dev: Dev, place: Place, again: str, by_hand: tuple[Picture, str, str]) -> Picture:
    """The runs of the second backfill are done; what waits for the corrupt film comes in the last of them."""

    def done() -> bool:
        mine = [run for run in dev.runs() if run.tags.get(BACKFILL) == again]
        return any("media" not in run.assets for run in mine) and finished(dev, *(run.id for run in mine))

    wait(done, "the backfill's runs are done")
    return take(dev, place)


@pytest.fixture(scope="module")
def recoded(dev: Dev, place: Place, films: Films, healed: Picture) -> Picture:
    """Good films come in place of the two bad ones, and an algorithm's file changes: only the former is seen."""
    films.put(place.library, DELTA, seed=LATER[DELTA])
    films.put(place.library, FOXTROT, seed=MENDED_FOXTROT)
    (place.algorithms / "brightness.py").write_text(BRIGHTNESS.replace('version = "1"', 'version = "2"'))
    for sensor in ("library", "refresh"):
        wait_ticked(dev, sensor)
    return take(dev, place)


@pytest.fixture(scope="module")
def mended(dev: Dev, place: Place, recoded: Picture) -> Picture:
    """The code location is reloaded; the publish goes on when the picture is taken."""
    dev.reload()
    place.reopen()

    def whole() -> bool:
        if not set(place.revisions()) >= set(once(STAGES, *FIRST, HOTEL)):
            return False
        return all(run.tags.get("mediaflow/lane") == "publish" for run in dev.runs() if run.status in UNFINISHED)

    wait(whole, "all are whole")
    return take(dev, place)


@pytest.fixture(scope="module")
def removed(dev: Dev, place: Place, films: Films, mended: Picture) -> Picture:
    """A film is removed; another is overwritten by garbage."""
    for file in place.library.glob(f"{file_name(BRAVO)}.*"):
        file.unlink()
    films.put_garbage(place.library, ECHO)
    wait(lambda: BRAVO not in dev.partitions(), "the partition is gone")
    wait_settled(dev, place, ECHO)
    return take(dev, place)


@pytest.fixture(scope="module")
def reborn(dev: Dev, place: Place, removed: Picture) -> Iterator[Picture]:
    """The event log is lost, and a new `dagster dev` starts with nothing."""
    dev.stop()
    place.forget_dagster()
    with Dev(place) as other:
        wait(lambda: other.idle() and _refilled(other, place), "the log is refilled")
        yield take(other, place)


def _refilled(dev: Dev, place: Place) -> bool:
    """Say whether what is fresh is shown, the releases, and the last thing that a refill records: the snapshot."""
    statuses = dev.statuses()
    shown = all(statuses.get(what) == "materialized" for what in place.revisions())
    return shown and {"snapshot", "release"} <= {event.asset for event in dev.events()}
