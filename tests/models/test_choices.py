"""Decisions about models: names, choices, retirements; all of them in one log, of which nothing is overwritten."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mediaflow.errors import AlgorithmError, UsageError
from mediaflow.models.record import ModelRecord, weights_prefix
from mediaflow.models.registry import ModelRegistry, Wanted
from mediaflow.models.shelf import Shelf
from mediaflow.storage.objects import FolderStore

MakeModel = Callable[..., Path]
WEIGHTS = "open_clip_model.safetensors"


class Room:
    """A store with two models' folders, and a shelf over it."""

    def __init__(self, folder: Path, make_model: MakeModel) -> None:
        self.folder, self.make = folder, make_model
        self.store = FolderStore(folder / "store")
        self.one, self.two = make_model(folder / "one", seed=1), make_model(folder / "two", seed=2)
        self.settings = {"visual": str(self.one)}
        self.serving: dict[str, list[tuple[str, str]]] = {}
        self.registry = self.again()
        self.shelf = self.shelf_of(self.registry)

    def again(self) -> ModelRegistry:
        """Another process's view of the same store."""
        return ModelRegistry(self.store, self.folder / "cache")

    def shelf_of(self, registry: ModelRegistry) -> Shelf:
        return Shelf(registry, self.settings, lambda: self.serving)

    def used(self, algorithm: str = "visual") -> ModelRecord | str | None:
        """What an algorithm uses, as a process sees it that starts now."""
        registry = self.again()
        return registry.meant(registry.wanted(algorithm, self.settings[algorithm]))

    def log(self) -> dict[str, bytes]:
        return {info.key: self.store.get(info.key) for info in self.store.list("models/choices/")}


class Collected(FolderStore):
    """A store whose collector takes all weights right before a decision is written."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        if key.startswith("models/choices/"):
            for info in list(self.list("models/weights/")):
                self.delete(info.key)
        return super().put_if_absent(key, data)


@pytest.fixture
def room(tmp_path: Path, make_model: MakeModel) -> Room:
    return Room(tmp_path, make_model)


def test_a_model_that_is_added_is_in_the_store_and_nothing_uses_it(room: Room) -> None:
    record = room.shelf.add("night", str(room.two))
    assert (record.dim, record.image_size) == (24, (64, 64))
    assert room.store.get(f"{weights_prefix(record.identity)}{WEIGHTS}") == (room.two / WEIGHTS).read_bytes()
    assert room.again().find("night") == record == room.again().find(str(room.two))
    assert room.used() is None, "the setting's model was not taken in"
    (line, missing) = room.shelf.lines()
    assert (line["name"], line["source"], line["identity"]) == ("night", str(room.two), record.identity)
    assert line["preprocessing"] == {
        "mean": (0.4, 0.5, 0.6),
        "std": (0.2, 0.25, 0.3),
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    }
    assert line["used_by"] == [] and line["added_ms"] > 1_700_000_000_000
    assert (missing["name"], missing["identity"]) == (str(room.one), None)
    assert "not in the store yet" in missing["problem"]


def test_a_choice_goes_before_the_setting_until_it_is_given_up(room: Room) -> None:
    setting = room.registry.ensure(str(room.one))
    chosen = room.shelf.add("night", str(room.two))
    assert room.used() == setting
    wanted, record = room.shelf.use("night")
    assert (wanted.algorithm, wanted.name, wanted.chosen, record) == ("visual", "night", True, chosen)
    assert room.used() == chosen
    assert [use["by"] for line in room.shelf.lines() for use in line["used_by"]] == ["choice"]
    room.settings["visual"] = "demo"
    assert room.used() == chosen, "the setting changes nothing while something is chosen"
    room.settings["visual"] = str(room.one)
    assert room.shelf.use_setting() == (Wanted("visual", str(room.one), False), setting)
    assert room.used() == setting


def test_what_is_decided_twice_is_written_once_and_nothing_is_overwritten(room: Room) -> None:
    room.shelf.add("night", str(room.two))
    room.shelf.use("night")
    before = room.log()
    room.shelf.add("night", str(room.two))
    room.shelf.use("night")
    assert room.log() == before and len(before) == 2
    room.shelf.use_setting()
    room.shelf.use_setting()
    assert len(room.log()) == 3 and room.log().items() >= before.items()


def test_back_to_a_model_whose_files_are_gone(room: Room) -> None:
    for name, folder in (("old", room.one), ("new", room.two)):
        room.shelf.add(name, str(folder))
    _, old = room.shelf.use("old")
    room.shelf.use("new")
    for file in room.one.iterdir():
        file.unlink()
    assert room.shelf.use("old")[1] == old == room.used()
    assert room.again().bring(room.again().wanted("visual", "demo")) == old
    assert room.again().encoder(old.identity).encode_texts(["a cat"]).shape == (1, 24)


def test_weights_replaced_in_place_count_and_the_older_ones_are_named_by_identity(room: Room) -> None:
    before = room.shelf.add("night", str(room.one))
    room.shelf.use("night")
    room.make(room.one, seed=3)
    assert room.used() is None, "the next refresh finds out"
    _, after = room.shelf.use("night")
    assert after.identity != before.identity and room.used() == after
    lines = {line["identity"]: line for line in room.shelf.lines()}
    assert [lines[one.identity]["replaced"] for one in (before, after)] == [True, False]
    assert {line["name"] for line in lines.values()} == {"night"}
    assert room.shelf.show("night")["others"] == [before.identity]
    wanted, again = room.shelf.use(before.identity[:6])
    assert (wanted.name, again) == (before.identity, before) and room.used() == before
    old, new = (room.again().encoder(one.identity).encode_texts(["a cat"]) for one in (before, after))
    assert np.abs(old - new).max() > 0.01
    assert room.again().called(wanted) == "night"


def test_files_put_back_with_their_time_are_the_model_that_they_were(room: Room) -> None:
    first = room.shelf.add("night", str(room.one))
    room.one.rename(room.folder / "away")
    room.make(room.one, seed=3)
    second = room.shelf.add("night", str(room.one))
    for file in room.one.iterdir():
        file.unlink()
    room.one.rmdir()
    (room.folder / "away").rename(room.one)
    assert room.shelf.use("night")[1] == first
    assert {line["identity"]: line["replaced"] for line in room.shelf.lines()} == {
        first.identity: False,
        second.identity: True,
    }


def test_what_was_replaced_by_damaged_files_cannot_be_chosen_and_stays_chosen_with_a_sentence(room: Room) -> None:
    room.shelf.add("night", str(room.one))
    room.shelf.use("night")
    (room.one / WEIGHTS).write_bytes(b"?" * 500)
    with pytest.raises(UsageError, match="cannot be loaded"):
        room.shelf.use("night")
    assert room.used() is None


def test_a_store_from_before_names_and_choices_goes_on(room: Room) -> None:
    import json

    record = room.registry.ensure(str(room.one))
    (key,) = [info.key for info in room.store.list("models/log/")]
    body = json.loads(room.store.get(key))
    del body["at_ms"], body["record"]["preprocessing"]
    room.store.put(key, json.dumps(body).encode())
    old = room.again().find(str(room.one))
    assert old is not None and (old.identity, old.preprocessing) == (record.identity, None)
    shelf = room.shelf_of(room.again())
    (line,) = shelf.lines()
    assert (line["name"], line["added_ms"], line["preprocessing"]) == (str(room.one), None, None)
    assert [use["by"] for use in line["used_by"]] == ["setting"]
    shelf.add("first", str(room.one))
    assert shelf.use("first")[1].identity == record.identity


class TestRetired:
    def test_it_cannot_be_chosen_until_it_is_taken_back(self, room: Room) -> None:
        room.registry.ensure(str(room.one))
        night = room.shelf.add("night", str(room.two))
        assert room.shelf.retire("night") == [night]
        assert room.again().retired() == {night.identity}
        assert [line["retired"] for line in room.shelf.lines()] == [False, True]
        for word in ("night", str(room.two), night.identity):
            with pytest.raises(UsageError, match="is retired"):
                room.shelf.use(word)
        room.settings["visual"] = str(room.two)
        assert "is retired" in str(room.used()), "the setting names it: the plan says why it does not run"
        room.settings["visual"] = str(room.one)
        # The collector has taken its weights.
        for info in list(room.store.list(weights_prefix(night.identity))):
            room.store.delete(info.key)
        assert room.shelf.add("night", str(room.two)) == night
        assert room.again().retired() == frozenset()
        assert room.registry.whole(night) and room.shelf.use("night")[1] == night

    def test_weights_that_go_while_it_is_taken_back_are_brought_again(self, room: Room) -> None:
        night = room.shelf.add("night", str(room.two))
        room.registry.ensure(str(room.one))
        room.shelf.retire("night")
        registry = ModelRegistry(Collected(room.store.root), room.folder / "cache")
        assert room.shelf_of(registry).add("night", str(room.two)) == night
        assert room.registry.whole(night)

    def test_what_is_in_use_or_served_is_refused(self, room: Room) -> None:
        night = room.shelf.add("night", str(room.two))
        day = room.shelf.add("day", str(room.one))
        room.shelf.use("night")
        for word in ("night", night.identity[:8]):
            with pytest.raises(UsageError, match=r"is what visual uses \(chosen\): choose another one first"):
                room.shelf.retire(word)
        room.serving = {night.identity: [("visual", "0123")]}
        room.shelf.use_setting()
        with pytest.raises(UsageError, match="is served: visual answers with it until"):
            room.shelf.retire("night")
        with pytest.raises(UsageError, match=r"is what visual uses \(as the setting says"):
            room.shelf.retire("day")
        room.serving = {day.identity: [("visual", "4567")]}
        assert room.shelf.retire("night") == [night]

    def test_the_older_weights_of_a_name_go_alone(self, room: Room) -> None:
        before = room.shelf.add("night", str(room.two))
        room.make(room.two, seed=3)
        after = room.shelf.add("night", str(room.two))
        assert room.shelf.retire(before.identity) == [before]
        assert room.shelf.use("night")[1] == after

    def test_what_another_name_has_too_stays(self, room: Room) -> None:
        same = room.shelf.add("night", str(room.two))
        room.make(room.folder / "copy", seed=2)
        assert room.shelf.add("copy", str(room.folder / "copy")) == same or room.registry.find("copy")
        assert room.shelf.retire("copy") == []
        with pytest.raises(UsageError, match="is retired"):
            room.shelf.use("copy")
        assert room.shelf.use("night")[1].identity == same.identity
        room.shelf.use_setting()

    def test_of_a_choice_and_a_retirement_at_once_one_is_refused(self, room: Room) -> None:
        room.shelf.add("day", str(room.one))
        for number in range(12):
            night = room.shelf.add("night", str(room.two))
            together = threading.Barrier(2)
            shelves = [room.shelf_of(room.again()) for _ in range(2)]
            for shelf in shelves:
                shelf.lines()

            def race(at: int, shelves: list[Shelf] = shelves, together: threading.Barrier = together) -> bool:
                together.wait()
                try:
                    (shelves[at].use if at else shelves[at].retire)("night")
                except UsageError:
                    return False
                return True

            with ThreadPoolExecutor(2) as pool:
                retired, used = pool.map(race, range(2))
            assert used != retired, number
            assert (room.used() == night) == used
            assert (night.identity in room.again().retired()) == retired
            room.shelf.use("day")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("a/b", "demo"), "cannot be a model's name"),
        (("demo", "{two}"), "cannot be a model's name"),
        (("0123456789abcdef0123456789abcdef", "{two}"), "cannot be a model's name"),
        (("known", "{two}"), "The name 'known' stands for {one} already"),
        (("new", "{two}", "dialogue"), r"There is no algorithm 'dialogue' that has a model \(there are: visual\)"),
    ],
)
def test_what_cannot_be_added_is_refused_before_anything_is_read(
    words: tuple[str, ...], sentence: str, room: Room
) -> None:
    room.shelf.add("known", str(room.one))
    before = len(list(room.store.list("models/")))
    places = {"one": str(room.one), "two": str(room.two)}
    with pytest.raises(UsageError, match=sentence.format(**places)):
        room.shelf.add(*(word.format(**places) for word in words))
    assert len(list(room.store.list("models/"))) == before


def test_one_word_may_mean_several_models_or_none(room: Room) -> None:
    room.shelf.add("one", str(room.one))
    with pytest.raises(UsageError, match="There is no model 'two' in the store: 'mediaflow models list' shows"):
        room.shelf.use("two")
    with pytest.raises(UsageError, match="There is no model 'zzzz'"):
        room.shelf.retire("zzzz")
    (identity,) = {line["identity"] for line in room.shelf.lines() if line["identity"]}
    with pytest.raises(UsageError, match="There is no model"):
        room.shelf.use(identity[:3])
    assert room.shelf.use(identity[:4])[1].identity == identity


def test_several_algorithms_have_a_model_each(room: Room) -> None:
    room.settings["faces"] = str(room.one)
    room.shelf.add("one", str(room.one))
    room.shelf.add("two", str(room.two), "faces")
    with pytest.raises(
        UsageError, match=r"Say for which algorithm: --algorithm NAME \(with a model there are: faces, vis"
    ):
        room.shelf.use("one")
    with pytest.raises(UsageError, match="was added for faces, not for visual"):
        room.shelf.use("two", "visual")
    assert room.shelf.use("two")[0].algorithm == "faces"
    one, two = room.registry.find("one"), room.registry.find("two")
    assert (room.used("visual"), room.used("faces")) == (one, two)
    assert room.shelf.use_setting("faces")[1] == one
    assert room.used("faces") == one


def test_processes_that_choose_at_once_leave_one_choice_that_all_see(room: Room) -> None:
    names = ("one", "two")
    for name, folder in zip(names, (room.one, room.two), strict=True):
        room.shelf.add(name, str(folder))
    code = f"""
import sys
from pathlib import Path
from mediaflow.models.registry import ModelRegistry
from mediaflow.models.shelf import Shelf
from mediaflow.storage.objects import FolderStore
shelf = Shelf(
    ModelRegistry(FolderStore(Path({str(room.folder / "store")!r})), Path({str(room.folder / "cache")!r})),
    {room.settings!r}, dict)
print("ready", flush=True)
sys.stdin.readline()
for number in range(10):
    shelf.use(sys.argv[1])
    shelf.use_setting()
shelf.use(sys.argv[1])
"""
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen([sys.executable, "-c", code, name], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for name in names
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    before = len(room.log())
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    entries = room.again().choices.now().history[before:]
    assert list(room.log()) == [f"models/choices/{n:020d}.json" for n in range(1, len(room.log()) + 1)]
    assert entries[-1]["kind"] == "use"
    used = room.used()
    assert used == room.registry.find(entries[-1]["model"]) == room.again().find(entries[-1]["model"])


def test_weights_that_are_gone_from_the_store_are_said_and_brought_again(room: Room) -> None:
    night = room.shelf.add("night", str(room.two))
    room.shelf.use("night")
    room.store.delete(f"{weights_prefix(night.identity)}{WEIGHTS}")
    registry = room.again()
    assert not registry.whole(night)
    assert registry.bring(registry.wanted("visual", "demo")) == night and registry.whole(night)
    room.store.delete(f"{weights_prefix(night.identity)}{WEIGHTS}")
    (room.two / WEIGHTS).unlink()
    with pytest.raises(AlgorithmError, match="are not in the store any more: take it in again"):
        registry.bring(registry.wanted("visual", "demo"))


def test_long_work_says_how_far_it_is(room: Room) -> None:
    told: list[tuple[str, int, int]] = []
    room.shelf.add("night", str(room.two), progress=lambda *step: told.append(step))
    size = (room.two / WEIGHTS).stat().st_size
    assert list(dict.fromkeys(step for step, _, _ in told)) == ["reading", "loading", "copying"]
    assert [(done, total) for step, done, total in told if step == "reading"][-1] == (size, size)
