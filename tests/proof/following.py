"""A library and the model beside it: each step of both at once, and what must then be the same."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from mediaflow.publishing.collector.artifacts import served
from mediaflow.publishing.collector.tally import Collected
from mediaflow.snapshots.reader import SnapshotReader
from tests.proof.material import Material
from tests.proof.model import DONE, OWN, QUARANTINED, Key, Model, Snapshot, generation
from tests.proof.place import Place
from tests.proof.retained import Retained
from tests.proof.rows import differences, expected, fingerprint, in_full, rows_of, tables
from tests.refreshing import compute, refresh

_WRITTEN = (DONE, "failed", QUARANTINED)


class Following:
    """What histories are made of.

    Parameters
    ----------
    material : Material
        Films and models.
    tried : Counter
        Counts what was done.
    """

    # Whether it is brought up to date in one go: then there is one release, and what the gates refuse is predicted.
    one_release = True

    def __init__(self, material: Material, tried: Counter[str]) -> None:
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

    def bring_up_to_date(self, expected: str) -> None:
        """Compute what is stale and publish what is whole, with that outcome."""
        assert (found := refresh(self.place.library).outcome) == expected, f"{found} in place of {expected}"

    def _refresh(self, then: str) -> None:
        self.tried["steps"] += 1
        if then == "wait":
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
        if then == "collect":
            self._collect(looked=False)
        self._sound = True

    def _resume(self) -> None:
        self.place.library.resume()
        self.model.held = False
        self.retained.log.append(self.retained.log[-1])

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

    def _collect(self, looked: bool) -> None:
        """Delete what nobody needs; `looked`: after a dry run."""
        self._sound = False
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
        self._sound = True

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
            self._resume()
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

    def _use(self) -> None:
        self.place.use(self.model.code, self.model.setting, self.model.shut)

    def _trouble(self) -> None:
        self.place.trouble(self.model.failing, self.model.failing_titles)

    def _mend(self, name: str) -> None:
        self.model.failing = {one for one in self.model.failing if one[0] != name}
        self.model.failing_titles = {one for one in self.model.failing_titles if one[0] != name}
        self._trouble()


def _freed(collected: Collected) -> list[object]:
    return [collected.snapshots, collected.tables, collected.versions, collected.artifacts]
