"""What mediaflow is expected to do, worked out beside it: a library as plain values, and what follows from them.

An artifact's key here is a nested tuple of all that it depends on, written out; nothing of mediaflow's planning or
publishing is used. What was computed, what is served and which rows that gives all follow from keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# Stages in order, with what they read; those after the roots and `frames` are algorithms.
READS = {
    "media": (),
    "subtitles": (),
    "catalogue": (),
    "frames": ("media",),
    "visual": ("frames",),
    "dialogue": ("media", "subtitles"),
    "loud": ("media", "subtitles"),
    "cuts": ("frames",),
    "billing": ("catalogue", "loud"),
}
ROOTS = ("media", "subtitles", "catalogue")
ESSENTIAL = ("media", "catalogue")
TABLES = tuple(stage for stage in READS if stage not in ROOTS)
OWN = ("loud", "cuts", "billing")
NO_FILM, TORN = "noise", "torn"
UNREADABLE = "unreadable"
NOWHERE = "nowhere"
DONE, FAILED, QUARANTINED = "done", "failed", "quarantined"

Key = tuple[Any, ...]
Recipes = Mapping[str, Any]


@dataclass
class Title:
    """A title by what its files say: which film, which lines (None: no subtitles), which catalogue entry."""

    film: str
    lines: str | None = "one"
    entry: int = 1


@dataclass
class Code:
    """An algorithm as its file and its parameters are now."""

    version: str = "1"
    mark: str = "a"
    imports: bool = True


@dataclass(frozen=True)
class Snapshot:
    """What is served: by title and stage the key of the artifact, and by stage how its generation was made."""

    titles: Mapping[str, Mapping[str, Key]] = field(default_factory=dict)
    made: Mapping[str, Recipes] = field(default_factory=dict)

    def generations(self) -> dict[str, Key]:
        return {stage: generation(stage, recipes) for stage, recipes in self.made.items()}


@dataclass
class Model:
    """The library, what was computed of it and given up, and what was published.

    Attributes
    ----------
    titles, code, setting, chosen
        As files and settings are now; which model was chosen in place of the setting's, if one was.
    shut : bool
        Whether the gate `coverage` asks for all rows of all titles.
    seen : dict
        The titles as the last look at the library folder saw them.
    brought : set of str
        The models that the store has.
    failing, failing_titles : set
        Which code with which parameters fails as a whole, and on which titles an algorithm fails.
    known : dict
        By title, stage and key: done, or given up.
    stopped : set
        Generations that have stopped.
    served, held
        What the current release serves, and whether releases are held.
    """

    titles: dict[str, Title] = field(default_factory=dict)
    code: dict[str, Code] = field(default_factory=lambda: {name: Code() for name in OWN})
    setting: str = "x"
    chosen: str | None = None
    shut: bool = False
    seen: dict[str, Title] = field(default_factory=dict)
    brought: set[str] = field(default_factory=set)
    failing: set[tuple[str, str, str]] = field(default_factory=set)
    failing_titles: set[tuple[str, str]] = field(default_factory=set)
    known: dict[tuple[str, str, Key], str] = field(default_factory=dict)
    stopped: set[Key] = field(default_factory=set)
    served: Snapshot = field(default_factory=Snapshot)
    held: bool = False

    # What is wanted

    @property
    def visual_model(self) -> str:
        return self.chosen or self.setting

    def recipes(self) -> Recipes:
        """Return by stage what decides its results, beside what it reads."""
        own = {name: (code.version, code.mark) if code.imports else ("", "") for name, code in self.code.items()}
        return {"visual": self.visual_model, **own}

    def looked(self) -> Model:
        """Return this model with the titles of the last look; what it knows is shared."""
        return replace(self, titles=self.seen)

    def key(self, stage: str, title: str, recipes: Recipes) -> Key:
        one = self.titles[title]
        if stage in ROOTS:
            return (stage, {"media": one.film, "subtitles": one.lines, "catalogue": one.entry}[stage])
        return (stage, recipes.get(stage), *(self.key(given, title, recipes) for given in READS[stage]))

    def key_in(self, made: Key, title: str) -> Key:
        """Return the key of a title's artifact in a generation, as the last look saw the title."""
        stage, recipe, *given = made
        if stage in ROOTS:
            return self.looked().key(stage, title, {})
        return (stage, recipe, *(self.key_in(one, title) for one in given))

    def state(self, stage: str, title: str, recipes: Recipes) -> str:
        return self.known.get((title, stage, self.key(stage, title, recipes)), "")

    def ready(self, stage: str, title: str, recipes: Recipes) -> bool:
        return all(self.state(given, title, recipes) == DONE for given in READS[stage])

    # What is computed

    def compute(self) -> Counter[tuple[str, Key, str]]:
        """Bring all up to date; return what is written down of it: how often which (title, key, state)."""
        self.seen = {name: replace(title) for name, title in self.titles.items()}
        if self.visual_model != NOWHERE:
            self.brought.add(self.visual_model)
        wanted = self.recipes()
        facts: Counter[tuple[str, Key, str]] = Counter()
        kept = [recipes for stage, recipes in self.kept().items() if not self.covered(stage, wanted)]
        for stage in READS:
            facts += self._compute(stage, wanted)
            for recipes in kept:
                if stage in recipes and generation(stage, recipes) != generation(stage, wanted):
                    facts += self._compute(stage, recipes)
        return facts

    def kept(self) -> dict[str, Recipes]:
        """Return by stage how a generation was made that is served and wanted no more: it is kept up to date.

        This is the one place that says what else than the wanted generations is computed. While releases are held
        nothing new is served, so nothing is kept up to date.
        """
        if self.held:
            return {}
        wanted = self.recipes()
        return {
            stage: {one: recipes.get(one) for one in above(stage)}
            for stage, recipes in self.served.made.items()
            if generation(stage, recipes) != generation(stage, wanted)
        }

    def can(self, stage: str, recipes: Recipes) -> bool:
        """Say whether the code for an artifact is there."""
        if stage in OWN:
            # What reads an algorithm that is broken is broken.
            imports = all(self.code[one].imports for one in above(stage) if one in OWN)
            return imports and self.code[stage].version == recipes[stage][0]
        return stage != "visual" or recipes[stage] in self.brought

    def _compute(self, stage: str, recipes: Recipes) -> Counter[tuple[str, Key, str]]:
        facts: Counter[tuple[str, Key, str]] = Counter()
        waiting = [
            title
            for title in self.titles
            if not self.state(stage, title, recipes) and self.ready(stage, title, recipes)
        ]
        made = generation(stage, recipes)
        if not waiting or not self.can(stage, recipes) or made in self.stopped:
            return facts
        if stage in OWN and (stage, *recipes[stage]) in self.failing:
            self.stopped.add(made)
            return facts
        for title in waiting:
            states, key = self._outcome(stage, title), self.key(stage, title, recipes)
            facts.update((title, key, state) for state in states)
            self.known[title, stage, key] = states[-1]
        return facts

    def _outcome(self, stage: str, title: str) -> tuple[str, ...]:
        """Return what is written down of one title: bytes that are bad are given up at once, other failures later."""
        one = self.titles[title]
        bad = {"media": one.film == NO_FILM, "frames": one.film == TORN, "subtitles": one.lines == UNREADABLE}
        if bad.get(stage):
            return (QUARANTINED,)
        return (FAILED, QUARANTINED) if (stage, title) in self.failing_titles else (DONE,)

    def retry(self, what: str) -> None:
        """Give what was given up of a stage, or of all where `what` is empty, a new start, as far as it was seen."""
        looked = self.looked()
        wanted = looked.recipes()
        sides = [(wanted, [*READS])]
        sides += [(kept, above(stage)) for stage, kept in looked.kept().items() if not looked.covered(stage, wanted)]
        for recipes, stages in sides:
            for stage in stages:
                if what in ("", stage):
                    if looked.can(stage, recipes):
                        self.stopped.discard(generation(stage, recipes))
                    for title in looked.titles:
                        if looked.state(stage, title, recipes) == QUARANTINED:
                            del self.known[title, stage, looked.key(stage, title, recipes)]

    # What is served

    def covered(self, stage: str, recipes: Recipes) -> bool:
        """Say whether a generation has all that it will have; what has stopped on the way never has."""
        if any(self._halted(one, title, recipes) for one in above(stage) for title in self.titles):
            return False
        states = {title: self.state(stage, title, recipes) for title in self.titles}
        settled = all(state or self._blocked(stage, title, recipes) for title, state in states.items())
        return settled and DONE in states.values()

    def _halted(self, stage: str, title: str, recipes: Recipes) -> bool:
        """Say whether something is missing because its stage has stopped."""
        running = self.can(stage, recipes) and generation(stage, recipes) not in self.stopped
        return not running and not self.state(stage, title, recipes)

    def _blocked(self, stage: str, title: str, recipes: Recipes) -> bool:
        """Say whether something that it reads was given up for this title, or has stopped."""
        return any(self._given_up(given, title, recipes) for given in READS[stage])

    def _given_up(self, stage: str, title: str, recipes: Recipes) -> bool:
        state = self.state(stage, title, recipes)
        missing = not state and (self._halted(stage, title, recipes) or self._blocked(stage, title, recipes))
        return missing or state == QUARANTINED

    def cut(self) -> Snapshot:
        """Return what a publish serves now."""
        wanted = self.recipes()
        before = self.served.generations()
        made: dict[str, Recipes] = {}
        for stage in TABLES:
            if self.covered(stage, wanted):
                made[stage] = {one: wanted.get(one) for one in above(stage)}
            elif stage in self.served.made:
                made[stage] = self.served.made[stage]
        same = {stage for stage, recipes in made.items() if generation(stage, recipes) == before.get(stage)}
        titles: dict[str, Mapping[str, Key]] = {}
        for title in self.titles:
            if all(self.state(stage, title, wanted) == DONE for stage in ESSENTIAL):
                titles[title] = self._whole(title, made)
            elif title in self.served.titles:
                titles[title] = self._as_it_was(title, made, same)
        return Snapshot(titles, made)

    def refusing(self, cut: Snapshot) -> set[str]:
        """Return the gates that refuse a cut; of those whose thresholds are open, one that loses all titles."""
        before = self.served.titles.keys()
        lost = {"titles"} if len(before) > 1 and not before & cut.titles.keys() else set()
        asked = [*ROOTS[:1], *(stage for stage in cut.made if stage != "frames")]
        whole = all(stage in cut.titles.get(title, {}) for stage in asked for title in self.titles)
        return lost | ({"coverage"} if self.shut and not whole else set())

    def _as_it_was(self, title: str, made: Mapping[str, Recipes], same: set[str]) -> dict[str, Key]:
        """Return what a title that is not whole is served with: what it was, and what there is of that state anew."""
        old, wanted = self.served.titles[title], self.recipes()
        found = {stage: key for stage, key in old.items() if stage in same or stage in ROOTS}
        if all(stage in found for stage in made):
            return found
        for stage in made:
            keyed = _key(stage, found, wanted)
            there = self.known.get((title, stage, keyed)) == DONE
            if there and generation(stage, made[stage]) == generation(stage, wanted):
                found.setdefault(stage, keyed)
        return found

    def _whole(self, title: str, made: Mapping[str, Recipes]) -> dict[str, Key]:
        found = {}
        for stage in (*ROOTS, *made):
            recipes = made.get(stage, {})
            if self.state(stage, title, recipes) == DONE:
                found[stage] = self.key(stage, title, recipes)
        return found

    # What is collected

    def collect(self, snapshots: Iterable[Snapshot]) -> int:
        """Forget all that was made and that neither these snapshots nor plans name; return how much that is."""
        named = {
            (title, stage, key) for one in snapshots for title, of in one.titles.items() for stage, key in of.items()
        }
        looked, blind = self.looked(), set()
        for recipes, stages in [(looked.recipes(), [*READS]), *looked.kept_sides()]:
            named |= {(title, one, looked.key(one, title, recipes)) for one in stages for title in looked.titles}
            # Of what cannot run now nobody can say what it will want.
            blind |= {stage for stage in stages if not all(looked.can(one, recipes) for one in above(stage))}
        there = [one for one, state in self.known.items() if state == DONE]
        going = [one for one in there if one not in named and one[1] not in blind]
        for one in going:
            del self.known[one]
        return len(going)

    def kept_sides(self) -> list[tuple[Recipes, list[str]]]:
        """Return what is kept up to date, and what fits beside it though nothing is waited for, with the stages."""
        sides: list[dict[str, Any]] = []
        for recipes in self.kept().values():
            made = {one: generation(one, recipes) for one in recipes}
            fits = (one for one in sides if all(generation(name, one) == made[name] for name in made if name in one))
            side = next(fits, None)
            if side is None:
                sides.append(dict(recipes))
            else:
                side.update(recipes)
        kept, wanted = self.kept(), self.recipes()
        waited_for = {stage for stage in kept if not self.covered(stage, wanted)}
        return [
            (side, [one for one in READS if one in side])
            for side in sides
            if any(one in side and generation(one, side) == generation(one, kept[one]) for one in waited_for)
        ]


def above(stage: str) -> list[str]:
    """Return a stage and all that it reads, in order."""
    found = {stage}
    for one in reversed(READS):
        if one in found:
            found.update(READS[one])
    return [one for one in READS if one in found]


def generation(stage: str, recipes: Recipes) -> Key:
    return (stage, recipes.get(stage), *(generation(given, recipes) for given in READS[stage]))


def _key(stage: str, roots: Mapping[str, Key], recipes: Recipes) -> Key:
    """Return the key of an artifact that is made of these roots; nothing was ever made of one that is missing."""
    if stage in ROOTS:
        return roots.get(stage, (stage, "missing"))
    return (stage, recipes.get(stage), *(_key(given, roots, recipes) for given in READS[stage]))
