"""Random histories of a library: what is served, what was computed, and what stays as it was released.

A failing history is printed as the calls of `History` that lead to the failure; written down as a test that makes
`History(material)` and calls them, it happens again.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from mediaflow.publishing.collector.artifacts import served
from mediaflow.publishing.collector.tally import Collected
from mediaflow.publishing.rollback import AlreadyHeld
from mediaflow.snapshots.reader import SnapshotReader, UnknownSnapshot
from tests.conftest import examples
from tests.proof import shown
from tests.proof.material import SEEDS, Material
from tests.proof.model import (
    DONE,
    NO_FILM,
    NOWHERE,
    OWN,
    QUARANTINED,
    TORN,
    UNREADABLE,
    Key,
    Model,
    Snapshot,
    Title,
    generation,
)
from tests.proof.place import Place
from tests.proof.retained import Retained
from tests.proof.rows import differences, expected, fingerprint, in_full, rows_of, tables
from tests.refreshing import compute, refresh

STEPS = 40
# A process that hangs is ended as a whole: what is raised into a history would count as its failure, which no second
# try then shows.
LIMIT_S = 7200 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 1800
_AN_HOUR_MS = 3_600_000
_NAMES = ("alps", "bees", "cats", "dogs")
_WRITTEN = (DONE, "failed", QUARANTINED)
titles = st.sampled_from(_NAMES)
then = st.sampled_from(["refresh", "refresh", "wait"])


class History(RuleBasedStateMachine):
    """A library, what happens to it, and the model beside it.

    Each rule changes something and then perhaps brings the library up to date and publishes.
    """

    # Whether it is brought up to date in one go: then there is one release, and what the gates refuse is predicted.
    one_release = True

    def __init__(self, material: Material, tried: Counter[str]) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.material, self.tried = material, tried
        self.place = Place(Path(self._folder.name) / "place", material.films, material.models, material.pool)
        self.model = Model()
        self.retained = Retained()
        self.refused: set[str] = set()
        self._facts = 0
        # What the names that mediaflow gives to generations and artifacts mean in the model.
        self._generations: dict[str, Key] = {}
        self._attempts: dict[str, tuple[str, Key]] = {}
        self._sound = True
        self._use()

    # What people do

    @initialize(films=st.lists(st.sampled_from(sorted(SEEDS)), min_size=1, max_size=3))
    def begin(self, films: list[str]) -> None:
        """Some films are there from the beginning."""
        for name, film in zip(_NAMES, films, strict=False):
            self.model.titles[name] = Title(film)
            self.place.title(name, self.model.titles[name])
        self._refresh("refresh")

    @rule(name=titles, film=st.sampled_from([*SEEDS, *SEEDS, NO_FILM, TORN]), then=then)
    def film(self, name: str, film: str, then: str) -> None:
        """A title comes, or its film is replaced, by one that is broken perhaps."""
        self._title(name).film = film
        self._then(name, then)

    @rule(name=titles, lines=st.sampled_from(["one", "two", None, UNREADABLE]), then=then)
    def lines(self, name: str, lines: str | None, then: str) -> None:
        """A title's subtitles are replaced or taken away."""
        self._title(name).lines = lines
        self._then(name, then)

    @rule(name=titles, entry=st.sampled_from([1, 2, 3]), then=then)
    def entry(self, name: str, entry: int, then: str) -> None:
        """A title's catalogue data are edited."""
        self._title(name).entry = entry
        self._then(name, then)

    @precondition(lambda self: len(self.model.titles) > 1)
    @rule(name=titles, then=then)
    def remove(self, name: str, then: str) -> None:
        """A title is taken away."""
        self.model.titles.pop(name, None)
        self.place.remove(name)
        self._refresh(then)

    @rule(name=titles, then=then)
    def touch(self, name: str, then: str) -> None:
        """A title's files are written anew, with the same bytes."""
        self.place.touch(name)
        self._refresh(then)

    @rule(name=st.sampled_from(OWN), version=st.sampled_from("12"), then=then)
    def version(self, name: str, version: str, then: str) -> None:
        """An algorithm's code changes."""
        self.model.code[name].version = version
        self._use()
        self._refresh(then)

    @rule(name=st.sampled_from(OWN), mark=st.sampled_from("abc"), then=then)
    def parameters(self, name: str, mark: str, then: str) -> None:
        """An algorithm's parameters change."""
        self.model.code[name].mark = mark
        self._use()
        self._refresh(then)

    @rule(name=st.sampled_from(OWN), imports=st.booleans(), then=then)
    def imports(self, name: str, imports: bool, then: str) -> None:
        """An algorithm's file cannot be imported any more, or again."""
        self.model.code[name].imports = imports
        self._use()
        self._refresh(then)

    @rule(model=st.sampled_from(["x", "y", "x", "y", NOWHERE]), then=then)
    def visual_model(self, model: str, then: str) -> None:
        """The setting names another model, or one that cannot be had."""
        self.model.setting = model
        self._use()
        self._refresh(then)

    @rule(model=st.sampled_from(["x", "y", None]), then=then)
    def choose(self, model: str | None, then: str) -> None:
        """A model is chosen in place of the setting's, or the setting's again."""
        self.model.chosen = model
        self.model.brought |= {model} if model else set()
        self.place.choose(model)
        self._refresh(then)

    @precondition(lambda self: self.one_release)
    @rule(shut=st.sampled_from([True, False, False]), then=then)
    def gate(self, shut: bool, then: str) -> None:
        """A gate asks for all rows of all titles, or lets everything pass again."""
        self.model.shut = shut
        self._use()
        self._refresh(then)

    @precondition(lambda self: self.refused)
    @rule(then=then)
    def insist(self, then: str) -> None:
        """What the gates refuse is published all the same."""
        self._refresh("refresh")
        self._insist()
        self._refresh(then)

    @rule(name=st.sampled_from(OWN), then=then)
    def fail(self, name: str, then: str) -> None:
        """An algorithm fails as a whole, with its version and parameters of now."""
        code = self.model.code[name]
        self.model.failing.add((name, code.version, code.mark))
        self._trouble()
        self._refresh(then)

    @rule(name=st.sampled_from(OWN), title=titles, then=then)
    def fail_title(self, name: str, title: str, then: str) -> None:
        """An algorithm fails on a title."""
        self.model.failing_titles.add((name, title))
        self._trouble()
        self._refresh(then)

    @rule(name=st.sampled_from(OWN), then=then)
    def mend(self, name: str, then: str) -> None:
        """An algorithm's trouble is over, and it is told to try again."""
        self._mend(name)
        self.place.library.retry(name)
        self.model.retry(name)
        self._refresh(then)

    @precondition(lambda self: len(self.retained.log) > 1)
    @rule(at=st.integers(0, 5), then=then)
    def rollback(self, at: int, then: str) -> None:
        """An earlier snapshot is served, until somebody says to go on; one that was collected cannot be."""
        there = [one for one in self.retained.there if one not in self.retained.between]
        snapshot = _pick([*self.retained.gone, *there], at)
        try:
            self.place.library.rollback(snapshot, "to see what was")
        except AlreadyHeld:
            assert self.model.held and snapshot == self.retained.log[-1]
            return
        except UnknownSnapshot:
            assert snapshot in self.retained.gone
            return
        self.model.held, self.model.served = True, self.retained.there[snapshot][0]
        self.retained.log.append(snapshot)
        self._check_served()
        self._refresh(then)

    @precondition(lambda self: self.model.held)
    @rule(then=then)
    def resume(self, then: str) -> None:
        """Publishes go on."""
        self.place.library.resume()
        self.model.held = False
        self.retained.log.append(self.retained.log[-1])
        self._refresh(then)

    @precondition(lambda self: self.retained.there)
    @rule(at=st.integers(0, 5))
    def pin(self, at: int) -> None:
        """A person keeps a snapshot."""
        snapshot = _pick([*self.retained.there], at)
        pin = self.place.library.pin(snapshot, "to look at it", _AN_HOUR_MS)
        self.retained.pins[pin.id] = snapshot

    @precondition(lambda self: self.retained.pins)
    @rule(at=st.integers(0, 5), all_of_it=st.booleans())
    def unpin(self, at: int, all_of_it: bool) -> None:
        """A person's pin is taken away, or all of them on its snapshot."""
        pin = _pick([*self.retained.pins], at)
        snapshot = self.retained.pins[pin]
        going = [one for one, held in self.retained.pins.items() if one == pin or (all_of_it and held == snapshot)]
        assert {one.id for one in self.place.library.unpin(snapshot if all_of_it else pin)} == set(going)
        for one in going:
            del self.retained.pins[one]

    @rule(then=then, looked=st.booleans())
    def gc(self, then: str, looked: bool) -> None:
        """What nothing needs is deleted, just what a dry run says; all that is kept is whole, and says what it said."""
        library, there = self.place.library, self.retained.there
        dry = library.collect(dry_run=True) if looked else None
        collected = library.collect()
        assert dry is None or _freed(dry) == _freed(collected)
        assert collected.outcome == ("collected" if there else "nothing released")
        going = self.retained.collect()
        forgotten = self.model.collect(snapshot for snapshot, _ in there.values()) if there else 0
        assert (list(collected.snapshots), collected.artifacts) == (going, forgotten)
        verified = library.verify()
        assert verified.whole and set(verified.problems) == set(there), verified.problems
        self._check_retained([*there])
        self.tried.update({"collections": 1, "snapshots collected": len(going), "artifacts collected": forgotten})
        self._refresh(then)

    def teardown(self) -> None:
        """Mend what can be mended, compare with a build from nothing, and look at every snapshot once more."""
        try:
            if self._sound:
                self._end()
        finally:
            self.place.close()
            self._folder.cleanup()

    # What must follow

    def bring_up_to_date(self, expected: str) -> None:
        """Compute what is stale and publish what is whole, with that outcome."""
        assert (found := refresh(self.place.library).outcome) == expected, f"{found} in place of {expected}"

    def _refresh(self, then: str) -> None:
        self.tried["steps"] += 1
        if then != "refresh":
            return
        self.tried["refreshes"] += 1
        self._sound = False
        before = self.place.library.releases.tip()
        predicted = self.model.compute()
        cut = self.model.cut()
        outcome, self.refused = "held", set()
        if not self.model.held:
            changes = cut != self.model.served and bool(cut.titles or self.retained.log)
            self.refused = self.model.refusing(cut) if changes else set()
            outcome = "refused" if self.refused else "released" if changes else "nothing new"
        self.bring_up_to_date(outcome)
        self.tried[outcome] += 1
        self._check_computed(predicted)
        tip = self.place.library.releases.tip()
        assert (tip > before) == (outcome == "released"), f"release {before} was followed by {tip}"
        if outcome == "released":
            assert tip == before + 1 or not self.one_release
            for number in range(before + 1, tip):
                self._released_between(self.place.library.releases.entry(number).snapshot)
            self._released()
        if self.retained.log:
            self._check_served()
            self._check_retained([*self.retained.there][:: max(1, len(self.retained.there) // 2)])
        self._sound = True

    def _insist(self) -> None:
        """Publish against the gates, if they have just refused something."""
        if self.refused:
            publication = self.place.library.publish(dict.fromkeys(self.refused, "it is meant"))
            assert publication.outcome == "released"
            assert {one["name"] for one in publication.gates if one["verdict"] == "overridden"} == self.refused
            self.tried["overridden"] += 1
            self.refused = set()
            self._released()
            self._check_served()

    def _released(self) -> None:
        self.model.served = self.model.cut()
        with self.place.library.current() as reader:
            self.retained.release(reader.id, self.model.served, fingerprint(reader))

    def _released_between(self, snapshot: str) -> None:
        with self.place.library.at(snapshot) as gateway:
            titles: dict[str, dict[str, Key]] = {}
            for attempt in served(self.place.library.store, [gateway.reader.manifest]):
                title, key = self._attempts[attempt]
                titles.setdefault(title, {})[key[0]] = key
            self.retained.release(snapshot, Snapshot(titles), fingerprint(gateway.reader))
        self.retained.between.add(snapshot)

    def _check_computed(self, predicted: Counter[tuple[str, Key, str]]) -> None:
        """What was written down since the last look is just what depends on the changes, each once."""
        library, wanted = self.place.library, self.model.recipes()
        self._generations |= {made: generation(stage, wanted) for stage, made in library.graph().generations.items()}
        facts = library.ledger.facts()
        names = self.place.names()
        found: Counter[tuple[str, Key, str]] = Counter()
        for row in facts[self._facts :].iter_rows(named=True):
            if row["title_id"] and row["state"] in _WRITTEN:
                title = names[row["title_id"]]
                key = self.model.key_in(self._generations[row["generation"]], title)
                found[title, key, row["state"]] += 1
                self._attempts[row["attempt"]] = title, key
        self._facts = len(facts)
        self.tried["artifacts"] += found.total()
        assert found == predicted, f"too much: {found - predicted}, missing: {predicted - found}"

    def _check_served(self) -> None:
        wanted = expected(self.model.served, self.material.shots, self.material.vectors)
        with self.place.library.current() as reader:
            assert reader.id == self.retained.log[-1]
            assert not (wrong := differences(rows_of(reader, self.place.names()), wanted)), wrong

    def _check_retained(self, snapshots: list[str]) -> None:
        for snapshot in snapshots:
            with self.place.library.at(snapshot) as gateway:
                said = fingerprint(gateway.reader)
            assert said == self.retained.there[snapshot][1], f"{snapshot} is not what was released"
            self.tried["looks at retained snapshots"] += 1

    def _end(self) -> None:
        for name in OWN:
            self._mend(name)
        self.model.shut = False
        self._use()
        self.place.library.retry(everything=True)
        self.model.retry("")
        if self.model.held:
            self.resume("refresh")
        else:
            self._refresh("refresh")
        self._insist()
        self._check_retained([*self.retained.there])
        if self.retained.log:
            self._check_build_from_nothing()

    def _check_build_from_nothing(self) -> None:
        """A second library of the same folder, algorithms and settings says the same, column for column."""
        wanted = self.model.recipes()
        whole = {name for name in self.model.titles if self.model.state("media", name, wanted) == "done"}
        if not whole:
            return
        self.tried["builds from nothing"] += 1
        model = self.place.model_folder(self.model.visual_model)
        with self.place.open(self.place.folder / "from nothing", visual_model=model) as other:
            compute(other)
            other.publish()
            with other.current() as there, self.place.library.current() as here:
                covered = {stage for stage in self.model.served.made if self.model.covered(stage, wanted)}
                assert set(tables(there)) - {"titles", "people", "thumbnails"} == covered
                sides: list[tuple[SnapshotReader, dict[str, str]]]
                sides = [(here, self.place.names()), (there, self.place.names(other))]
                for stage in tables(there):
                    rows, from_nothing = (in_full(reader, stage, names, whole) for reader, names in sides)
                    assert rows == from_nothing, f"{stage} is not as a build from nothing has it"

    # What is behind it

    def _title(self, name: str) -> Title:
        return self.model.titles.setdefault(name, Title("red"))

    def _then(self, name: str, then: str) -> None:
        self.place.title(name, self.model.titles[name])
        self._refresh(then)

    def _use(self) -> None:
        self.place.use(self.model.code, self.model.setting, self.model.shut)

    def _trouble(self) -> None:
        self.place.trouble(self.model.failing, self.model.failing_titles)

    def _mend(self, name: str) -> None:
        self.model.failing = {one for one in self.model.failing if one[0] != name}
        self.model.failing_titles = {one for one in self.model.failing_titles if one[0] != name}
        self._trouble()


class Watched(History):
    """A history that goes on through Dagster's sensors and runs; then Dagster says what the ledger says."""

    one_release = False

    def bring_up_to_date(self, expected: str) -> None:
        wrong = shown.refresh(self.place)
        assert not wrong, wrong
        self.tried["looks at what Dagster shows"] += 1


def _freed(collected: Collected) -> list[object]:
    return [collected.snapshots, collected.tables, collected.versions, collected.artifacts]


def _pick(names: list[str], at: int) -> str:
    """Return one of some names, counted from the newest."""
    return names[-1 - at % len(names)]


def _run(history: Callable[[], History], share: float, steps: int) -> None:
    how = settings(
        examples(share), stateful_step_count=steps, suppress_health_check=list(HealthCheck), report_multiple_bugs=False
    )
    run_state_machine_as_test(history, settings=how)


@pytest.mark.hypothesis
@pytest.mark.timeout(LIMIT_S, method="thread")
def test_histories_shown_by_dagster(material: Material, record_property: Callable[[str, object], None]) -> None:
    tried: Counter[str] = Counter()
    _run(lambda: Watched(material, tried), share=0.014, steps=7)
    record_property("tried", ", ".join(f"{times:,} {what}" for what, times in tried.items()))


@pytest.mark.hypothesis
@pytest.mark.timeout(LIMIT_S, method="thread")
def test_histories(material: Material, record_property: Callable[[str, object], None]) -> None:
    tried: Counter[str] = Counter()
    _run(lambda: History(material, tried), share=0.04, steps=STEPS)
    record_property("tried", ", ".join(f"{times:,} {what}" for what, times in tried.items()))
