"""Random histories of a library: what is served, what was computed, and what stays as it was released.

A failing history is printed as the calls of `History` that lead to the failure; written down as a test that makes
`History(material)` and calls them, it happens again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from mediaflow.publishing.rollback import AlreadyHeld
from mediaflow.snapshots.reader import UnknownSnapshot
from tests.conftest import examples
from tests.proof import shown
from tests.proof.following import Following
from tests.proof.material import SEEDS, Material
from tests.proof.model import NO_FILM, NOWHERE, OWN, TORN, UNREADABLE, Title

STEPS = 40
# A process that hangs is ended as a whole: what is raised into a history would count as its failure, which no second
# try then shows.
LIMIT_S = 7200 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 1800
_AN_HOUR_MS = 3_600_000
_NAMES = ("alps", "bees", "cats", "dogs")
titles = st.sampled_from(_NAMES)
# What comes after a change: nothing yet, or the library is brought up to date, and perhaps what nobody needs deleted.
then = st.sampled_from(["refresh", "refresh", "collect", "wait"])


class History(Following, RuleBasedStateMachine):
    """A library, what happens to it, and the model beside it.

    Each rule changes something and then perhaps brings the library up to date and publishes.
    """

    def __init__(self, material: Material, tried: Counter[str]) -> None:
        Following.__init__(self, material, tried)
        RuleBasedStateMachine.__init__(self)

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
        """A title is taken away; where all that were there were gone at once, none of it would be believed.

        One that came since the last look, with the same film perhaps, would be the same title that has moved.
        """
        come = self.model.titles.keys() - self.model.seen.keys()
        if come - {name} or not (self.model.seen.keys() & self.model.titles.keys()) - {name}:
            self._refresh("refresh")
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
        self._resume()
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
        self._collect(looked)
        self._refresh(then)

    def teardown(self) -> None:
        """Mend what can be mended, compare with a build from nothing, and look at every snapshot once more."""
        try:
            if self._sound:
                self._end()
        finally:
            self.place.close()
            self._folder.cleanup()

    def _title(self, name: str) -> Title:
        if name not in self.model.titles and not self.model.seen.keys() <= self.model.titles.keys():
            # The same film under another name would be a title that has moved.
            self._refresh("refresh")
        return self.model.titles.setdefault(name, Title("red"))

    def _then(self, name: str, then: str) -> None:
        self.place.title(name, self.model.titles[name])
        self._refresh(then)


class Watched(History):
    """A history that goes on through Dagster's sensors and runs; then Dagster says what the ledger says."""

    one_release = False

    def bring_up_to_date(self, expected: str) -> None:
        wrong = shown.refresh(self.place)
        assert not wrong, wrong
        self.tried["looks at what Dagster shows"] += 1


def _pick(names: list[str], at: int) -> str:
    """Return one of some names, counted from the newest."""
    return names[-1 - at % len(names)]


@contextmanager
def _history(material: Material) -> Iterator[History]:
    history = History(material, Counter())
    try:
        yield history
    finally:
        history.teardown()


def test_what_a_gate_refuses_is_not_served_until_somebody_insists(material: Material) -> None:
    with _history(material) as history:
        history.begin(["red", "green"])
        history.gate(True, "refresh")
        history.film("alps", TORN, "refresh")
        assert history.refused == {"coverage"} and len(history.retained.log) == 1
        history.gc("refresh", True)
        assert history.refused == {"coverage"} and len(history.retained.log) == 1
        history.insist("refresh")
        assert not history.refused and len(history.retained.log) == 2


def test_a_release_that_would_lose_all_titles_waits_for_somebody(material: Material) -> None:
    with _history(material) as history:
        history.begin(["red", "green"])
        history.entry("alps", 2, "refresh")
        history.rollback(1, "wait")
        history.remove("alps", "refresh")
        history.film("cats", "blue", "refresh")
        history.remove("bees", "refresh")
        history.resume("refresh")
        assert history.refused == {"titles"}


def test_what_is_pinned_can_be_gone_back_to_and_what_was_collected_is_made_anew(material: Material) -> None:
    with _history(material) as history:
        history.begin(["red"])
        history.pin(0)
        history.version("cuts", "2", "refresh")
        history.choose("y", "refresh")
        history.version("cuts", "1", "collect")
        pinned, collected = history.retained.log[:2]
        assert pinned in history.retained.there and history.retained.gone == [collected]
        history.rollback(3, "refresh")
        assert not history.model.held, "what was collected is not gone back to"
        history.rollback(2, "refresh")
        assert history.retained.log[-1] == pinned
        history.resume("wait")
        history.unpin(0, True)
        history.choose(None, "collect")
        made = history.tried["artifacts"]
        history.version("cuts", "2", "collect")
        assert history.tried["artifacts"] == made + 1
        history.entry("alps", 2, "collect")
        assert pinned in history.retained.gone, "nobody keeps it any more"


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
    _run(lambda: History(material, tried), share=0.032, steps=STEPS)
    record_property("tried", ", ".join(f"{times:,} {what}" for what, times in tried.items()))
