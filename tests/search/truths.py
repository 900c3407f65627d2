"""A snapshot whose annotations are the truth of planned films, questions about it, and their answers by brute force.

The films are planned as those of the demo are, but not painted: what is true of them is the annotation. So that
every question has near misses, some lines are said again by somebody else and some texts are written again elsewhere
in the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from mediaflow.demo import film
from mediaflow.demo.script import Decks, plan_film
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import (
    AllOf,
    Character,
    Clause,
    Dialogue,
    Filters,
    Label,
    Not,
    Onscreen,
    Query,
    Region,
    SpaceJoin,
    TimeJoin,
    Visual,
)
from mediaflow.storage.objects import FolderStore
from tests.search.post.test_joins import naive
from tests.search.world import BOX, LABEL, TEXT, World, cue, shot

FPS, FILMS, EPISODES, SHOTS = 24, 6, 6, 12
SERIES = "Night Shift"
GUESTS = ("Abel", "Berta", "Conrad", "Dora", "Egon", "Frida", "Gerd", "Hilda", "Ivo", "Jutta", "Karl", "Lore")
LOWER, UPPER = Region(0, 0.5, 1, 0.5, "inside"), Region(0, 0, 1, 0.5, "inside")
Moment = tuple[int, int, int]
Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A question, and the same one without one of its conditions: what that finds more are the near misses."""

    query: Query
    looser: Query


def world(folder: Path, without: frozenset[str] = frozenset()) -> World:
    """Plan the films and write what is true of them, but of some."""
    made, decks, draw = World(FolderStore(folder)), Decks(np.random.default_rng(21)), np.random.default_rng(22)
    cues: list[Row] = []
    shots: list[Row] = []
    things: list[Row] = []
    texts: list[Row] = []
    for number in range(FILMS + EPISODES):
        script = plan_film(number, decks, shots=SHOTS, shot_seconds=4, fps=FPS)
        title_id, episode = f"film-{number}", number - FILMS + 1
        belongs = {"series": SERIES, "season": 1, "episode": episode, "kind": "episode"} if episode > 0 else {}
        # One of the cast plays nowhere else.
        cast = {role.talent: role.character for role in script.cast} | {f"{GUESTS[number]} Quill": GUESTS[number][::-1]}
        ends = film.borders(script)[-1] * 1000 // FPS
        if title_id not in without:
            made.title(title_id, cast, genres=list(script.genres), year=script.year, duration_ms=ends, **belongs)
        names = [role.character for role in script.cast]
        for one in film.cue_truth(script, FPS, title_id, ("en", "de")):
            said = {"language": one.language, "speaker": one.speaker}
            cues.append(cue(title_id, one.start_ms, one.end_ms, one.text, **said))
            if draw.random() < 0.3:
                others = [name for name in names if name != one.speaker] or names
                later = one.end_ms + int(draw.integers(4_000, 9_000))
                said["speaker"] = str(draw.choice(others))
                cues.append(cue(title_id, later, later + 900, one.text, **said))
        for seen in film.shot_truth(script, FPS):
            scene, at = seen.scene, {"title_id": title_id, "start_ms": seen.start_ms, "end_ms": seen.end_ms}
            shots.append(shot(title_id, seen.start_ms, seen.end_ms, f"{scene.place} {scene.time} {scene.time}"))
            things += (
                {**at, "label": label, "confidence": round(float(draw.uniform(0.3, 1)), 2)}
                for label in (scene.object, scene.colour)
            )
        for written in film.text_truth(script, FPS):
            for _ in range(2):
                box = {"x": float(draw.integers(6)) / 8, "w": 0.25, "y": float(draw.integers(7)) / 8, "h": 0.125}
                at = {"title_id": title_id, "start_ms": written.start_ms, "end_ms": written.end_ms}
                texts.append({**at, "text": written.text, "confidence": 0.9, **box})
    cues, shots, things, texts = (
        [row for row in rows if row["title_id"] not in without] for rows in (cues, shots, things, texts)
    )
    made.dialogue(*cues)
    made.visual(*shots)
    made.algorithm("things", "label", LABEL, things)
    made.algorithm("onscreen_text", "boxed_text", TEXT | BOX, texts)
    return made


class Brute:
    """Answers by going over all rows, clause by clause, pair by pair."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._titles = gateway.catalogue.titles.to_dicts()
        self.rows: dict[str, list[Row]] = {"visual": []}
        for title in self._titles:
            for row in gateway.annotations(title["title_id"]):
                self.rows.setdefault(row["algorithm"], []).append({"title_no": title["title_no"], **row})

    def answer(self, query: Query) -> set[Moment]:
        """Return the moments of a question of one clause."""
        (clause,) = query.clauses
        return {row for row in self._moments(clause) if self._may(query.filters, row[0])}

    def _may(self, filters: Filters, title_no: int) -> bool:
        title = next(one for one in self._titles if one["title_no"] == title_no)
        return (not filters.series or title["series"] in filters.series) and (
            not filters.genres or bool(set(filters.genres) & set(title["genres"]))
        )

    def _moments(self, clause: Clause) -> set[Moment]:
        match clause:
            case AllOf(clauses=clauses):
                kept: set[Moment] = set()
                for chosen in product(*(self._moments(one) for one in clauses if not isinstance(one, Not))):
                    start, end = max(row[1] for row in chosen), min(row[2] for row in chosen)
                    if len({row[0] for row in chosen}) == 1 and start < end:
                        kept.add((chosen[0][0], start, end))
                for one in clauses:
                    if isinstance(one, Not):
                        taken, rows = sorted(self._moments(one.clause)), sorted(kept)
                        kept -= {rows[at] for at, _ in naive(rows, taken, "overlap", 0)}
                return kept
            case TimeJoin(left=left, right=right):
                one, other = sorted(self._moments(left)), sorted(self._moments(right))
                pairs = naive(one, other, clause.relation, clause.most_ms)
                return {(one[a][0], min(one[a][1], other[b][1]), max(one[a][2], other[b][2])) for a, b in pairs}
            case SpaceJoin(left=left, right=right, relation=relation):
                return set(self._beside(list(self._found(left)), list(self._found(right)), relation))
        return {(row["title_no"], row["start_ms"], row["end_ms"]) for row in self._found(clause)}

    def _beside(self, left: Sequence[Row], right: Sequence[Row], relation: Any) -> Iterator[Moment]:
        for one, other in product(left, right):
            start, end = max(one["start_ms"], other["start_ms"]), min(one["end_ms"], other["end_ms"])
            stands = {
                "same_frame": True,
                "left_of": one["x"] + one["w"] <= other["x"],
                "above": one["y"] + one["h"] <= other["y"],
            }
            if one is not other and one["title_no"] == other["title_no"] and start < end and stands[relation]:
                yield one["title_no"], start, end

    def _found(self, clause: Clause) -> Iterator[Row]:
        match clause:
            case Dialogue(text=text, character=character):
                for row in self.rows["dialogue"]:
                    if _has(row["text"], text) and (character is None or row["speaker"].lower() == character.lower()):
                        yield row
            case Character(name=name):
                yield from (row for row in self.rows["dialogue"] if row["speaker"].lower() == name.lower())
            case Label(name=name, least_confidence=least):
                enough = np.float32(least)
                yield from (
                    r for r in self.rows["things"] if r["label"] == name and np.float32(r["confidence"]) >= enough
                )
            case Onscreen(text=text, region=region):
                yield from (r for r in self.rows["onscreen_text"] if _has(r["text"], text) and _inside(r, region))
            case Visual():
                (step,) = self._gateway.explain(Query((clause,)))
                found = self._gateway.search(Query((Visual(clause.text),), limit=1000))
                assert step.least is not None
                for hit in found:
                    if hit.score >= step.least:
                        yield {"title_no": hit.title_no, "start_ms": hit.start_ms, "end_ms": hit.end_ms}


def questions(brute: Brute, count: int = 50) -> list[Question]:
    """Return questions of two to four clauses that have answers, and near misses."""
    draw = np.random.default_rng(23)
    found: list[Question] = []
    kinds = (_said_by, _written_above, _without, _shortly_before, _beside, _in_series, _by_night)
    for turn in range(10_000):
        if len(found) == count:
            return found
        question = kinds[turn % len(kinds)](brute, draw)
        right, more = brute.answer(question.query), brute.answer(question.looser)
        if right and more - right and question not in found:
            found.append(question)
    raise AssertionError(f"only {len(found)} questions have answers and near misses")


def _one(clause: Clause, **filters: Any) -> Query:
    return Query((clause,), Filters(**filters), limit=1000)


def _pick(draw: np.random.Generator, rows: Sequence[Row]) -> Row:
    return rows[int(draw.integers(len(rows)))]


def _word(draw: np.random.Generator, row: Row) -> str:
    words = [word.strip(".,!?") for word in row["text"].split()]
    return str(draw.choice([word for word in words if word.isalnum()]))


def _shared(brute: Brute, draw: np.random.Generator, algorithm: str, other: str) -> tuple[Row, Row]:
    """Return rows of two algorithms that are there at the same time."""
    while True:
        one = _pick(draw, brute.rows[algorithm])
        beside = [
            row
            for row in brute.rows[other]
            if row["title_no"] == one["title_no"]
            and row["start_ms"] < one["end_ms"]
            and one["start_ms"] < row["end_ms"]
        ]
        if beside:
            return one, _pick(draw, beside)


def _said_by(brute: Brute, draw: np.random.Generator) -> Question:
    said, thing = _shared(brute, draw, "dialogue", "things")
    word, label = _word(draw, said), Label(thing["label"])
    right = AllOf((Dialogue(word, character=said["speaker"]), label))
    return Question(_one(right), _one(Dialogue(word)))


def _written_above(brute: Brute, draw: np.random.Generator) -> Question:
    written, thing = _shared(brute, draw, "onscreen_text", "things")
    word, label = _word(draw, written), Label(thing["label"])
    right = AllOf((Onscreen(word, UPPER), label, Not(Onscreen(word, LOWER))))
    return Question(_one(right), _one(AllOf((Onscreen(word), label))))


def _without(brute: Brute, draw: np.random.Generator) -> Question:
    thing, colour = _shared(brute, draw, "things", "things")
    right = AllOf((Label(thing["label"], 0.4), Not(Label(colour["label"]))))
    return Question(_one(right), _one(Label(thing["label"])))


def _shortly_before(brute: Brute, draw: np.random.Generator) -> Question:
    said = _pick(draw, brute.rows["dialogue"])
    after = [r for r in brute.rows["things"] if r["title_no"] == said["title_no"] and r["start_ms"] >= said["end_ms"]]
    label = Label(_pick(draw, after or brute.rows["things"])["label"])
    near = TimeJoin(Dialogue(_word(draw, said)), label, "before", 6_000)
    far = TimeJoin(near.left, label, "before", 18_000)
    return Question(_one(near), _one(far))


def _beside(brute: Brute, draw: np.random.Generator) -> Question:
    one, other = _shared(brute, draw, "onscreen_text", "onscreen_text")
    left, right = Onscreen(_word(draw, one)), Onscreen(_word(draw, other))
    relation: Any = draw.choice(["left_of", "above"])
    place = AllOf((SpaceJoin(left, right, str(relation)), Visual("night", everything=True)))  # type: ignore[arg-type]
    return Question(_one(place), _one(SpaceJoin(left, right, "same_frame")))


def _in_series(brute: Brute, draw: np.random.Generator) -> Question:
    said, thing = _shared(brute, draw, "dialogue", "things")
    both = AllOf((Dialogue(_word(draw, said)), Label(thing["label"])))
    return Question(_one(both, series=(SERIES,)), _one(both))


def _by_night(brute: Brute, draw: np.random.Generator) -> Question:
    said, thing = _shared(brute, draw, "dialogue", "things")
    night, label = Visual("night", everything=True), Label(thing["label"])
    right = AllOf((night, label, Not(Character(said["speaker"], "speaks")), Not(Dialogue(_word(draw, said)))))
    return Question(_one(right), _one(label))


def _has(text: str, words: str) -> bool:
    return set(_plain(words)) <= set(_plain(text))


def _plain(text: str) -> list[str]:
    return "".join(mark if mark.isalnum() else " " for mark in text.lower()).split()


def _inside(row: Row, region: Region | None) -> bool:
    if region is None:
        return True
    assert region.relation == "inside"
    right, bottom = row["x"] + row["w"], row["y"] + row["h"]
    across = region.x <= row["x"] and right <= region.x + region.w
    return bool(across and region.y <= row["y"] and bottom <= region.y + region.h)
