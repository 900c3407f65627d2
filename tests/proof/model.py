"""What mediaflow is expected to do, worked out beside it: a library as plain values, and what follows from them.

An artifact's key here is a nested tuple of all that it depends on, written out; nothing of mediaflow's planning or
publishing is used. What was computed, what is served and which rows that gives all follow from keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
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

# Whether a generation that is served and wanted no more is computed for new and changed titles until the next covers.
KEPT_UP_TO_DATE = True

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
    """The library, what was computed of it and given up, and what was published."""

    titles: dict[str, Title] = field(default_factory=dict)
    code: dict[str, Code] = field(default_factory=lambda: {name: Code() for name in OWN})
    visual_model: str = "x"
    failing: set[tuple[str, str, str]] = field(default_factory=set)
    failing_titles: set[tuple[str, str]] = field(default_factory=set)
    known: dict[tuple[str, str, Key], str] = field(default_factory=dict)
    stopped: set[Key] = field(default_factory=set)
    served: Snapshot = field(default_factory=Snapshot)
    held: bool = False

    # What is wanted

    def recipes(self) -> Recipes:
        """Return by stage what decides its results, beside what it reads."""
        own = {name: (code.version, code.mark) if code.imports else ("", "") for name, code in self.code.items()}
        return {"visual": self.visual_model, **own}

    def key(self, stage: str, title: str, recipes: Recipes) -> Key:
        one = self.titles[title]
        if stage in ROOTS:
            return (stage, {"media": one.film, "subtitles": one.lines, "catalogue": one.entry}[stage])
        return (stage, recipes.get(stage), *(self.key(given, title, recipes) for given in READS[stage]))

    def state(self, stage: str, title: str, recipes: Recipes) -> str:
        return self.known.get((title, stage, self.key(stage, title, recipes)), "")

    def ready(self, stage: str, title: str, recipes: Recipes) -> bool:
        return all(self.state(given, title, recipes) == DONE for given in READS[stage])

    # What is computed

    def compute(self) -> Counter[tuple[str, str, str]]:
        """Bring all up to date; return what is written down of it: how often which (stage, title, state)."""
        wanted = self.recipes()
        facts: Counter[tuple[str, str, str]] = Counter()
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
        if not KEPT_UP_TO_DATE or self.held:
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
        return stage != "visual" or recipes[stage] != NOWHERE

    def _compute(self, stage: str, recipes: Recipes) -> Counter[tuple[str, str, str]]:
        facts: Counter[tuple[str, str, str]] = Counter()
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
            states = self._outcome(stage, title)
            facts.update((stage, title, state) for state in states)
            self.known[title, stage, self.key(stage, title, recipes)] = states[-1]
        return facts

    def _outcome(self, stage: str, title: str) -> tuple[str, ...]:
        """Return what is written down of one title: bytes that are bad are given up at once, other failures later."""
        one = self.titles[title]
        bad = {"media": one.film == NO_FILM, "frames": one.film == TORN, "subtitles": one.lines == UNREADABLE}
        if bad.get(stage):
            return (QUARANTINED,)
        return (FAILED, QUARANTINED) if (stage, title) in self.failing_titles else (DONE,)

    def retry(self, what: str) -> None:
        """Give what was given up of a stage, or of all where `what` is empty, a new start."""
        wanted = self.recipes()
        for stage in [what] if what else READS:
            self.stopped.discard(generation(stage, wanted))
            for title in self.titles:
                if self.state(stage, title, wanted) == QUARANTINED:
                    del self.known[title, stage, self.key(stage, title, wanted)]

    # What is served

    def covered(self, stage: str, recipes: Recipes) -> bool:
        """Say whether a generation has all that it will have; what has stopped on the way never has."""
        if not any(self.state(stage, title, recipes) == DONE for title in self.titles):
            return False
        return all(self._settled(one, title, recipes) for one in above(stage) for title in self.titles)

    def _settled(self, stage: str, title: str, recipes: Recipes) -> bool:
        return bool(self.state(stage, title, recipes)) or self._blocked(stage, title, recipes)

    def _blocked(self, stage: str, title: str, recipes: Recipes) -> bool:
        """Say whether something that it reads was given up for this title, or has stopped."""
        return any(
            self.state(given, title, recipes) == QUARANTINED or self._blocked(given, title, recipes)
            for given in READS[stage]
        )

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
                old = self.served.titles[title]
                titles[title] = {stage: key for stage, key in old.items() if stage in same or stage in ROOTS}
        return Snapshot(titles, made)

    def _whole(self, title: str, made: Mapping[str, Recipes]) -> dict[str, Key]:
        found = {}
        for stage in READS:
            if stage not in ROOTS and stage not in made:
                continue
            recipes = made.get(stage, {})
            key = self.key(stage, title, recipes)
            if not KEPT_UP_TO_DATE and generation(stage, recipes) != generation(stage, self.recipes()):
                # Rows of an old generation go on to be served where nothing that they were made from has changed.
                there = self.served.titles.get(title, {}).get(stage) == key
            else:
                there = self.state(stage, title, recipes) == DONE
            if there:
                found[stage] = key
        return found


def above(stage: str) -> list[str]:
    """Return a stage and all that it reads, in order."""
    found = {stage}
    for one in reversed(READS):
        if one in found:
            found.update(READS[one])
    return [one for one in READS if one in found]


def generation(stage: str, recipes: Recipes) -> Key:
    return (stage, recipes.get(stage), *(generation(given, recipes) for given in READS[stage]))
