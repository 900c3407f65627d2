"""After `erase` not a byte of a title is in the store or the cache; all others are what they were."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import lance
import polars as pl
import pytest

import mediaflow
from mediaflow.errors import UsageError
from mediaflow.library import Library
from mediaflow.publishing.erase.erase import erasures, holders
from mediaflow.search.query import Dialogue, Query
from mediaflow.snapshots.history import lines
from mediaflow.storage import layout, steps
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table
from tests.deployment.films import Films
from tests.publishing.erase.scanning import find, indexes_of_the_past, unheld, words
from tests.refreshing import compute, refresh

ALPHA, BRAVO, CHARLIE = "alpha-2001", "bravo-2001", "charlie-2001"
WORD, ACTOR = "Xylotheque", "Ottoline Quux"
# Sixteen bytes that no other vector has.
SIGN = bytes.fromhex("deadbe3fefbeadde0d1ec0de42424243")
PLANTED = f"""
import numpy as np
import polars as pl

from mediaflow.algorithms.contract import Algorithm, Shape

SIGN = np.frombuffer(bytes.fromhex("{SIGN.hex()}"), dtype=np.float32)


class Planted(Algorithm):
    name = "planted"
    version = "1"
    owner = "sign@example.org"
    inputs = ("shots",)
    shape = Shape.LABEL
    fields = {{"sign": pl.Array(pl.Float32, 4)}}

    def run(self, batch):
        for title in batch:
            sign = SIGN if title.title_id == "{ALPHA}" else np.arange(4, dtype=np.float32)
            yield title.shots.select(
                "start_ms",
                "end_ms",
                label=pl.lit("sign"),
                confidence=pl.lit(1, pl.Float32),
                sign=pl.Series([sign] * len(title.shots), dtype=pl.Array(pl.Float32, 4)),
            )
"""


class Dead(BaseException):
    """The process is no more."""


_at: list[str] = []


def _reached(step: str) -> None:
    if step in _at:
        _at.clear()
        raise Dead


steps.listen(_reached)


class House:
    """A library of three films of which one is marked all over, and its workspace."""

    def __init__(self, folder: Path) -> None:
        self.films, self.home, self.algorithms = folder / "films", folder / "home", folder / "algorithms"
        self.golden = folder / "golden.toml"

    def open(self) -> Library:
        return mediaflow.open(
            home=self.home,
            library=self.films,
            settle_s=0,
            algorithm_folders=[self.algorithms],
            visual_model=str(self.home / "none"),
            decode_workers=1,
        )

    def plant(self) -> None:
        """Put the markers into the files of the film."""
        (self.algorithms / "planted.py").write_text(PLANTED)
        (track,) = self.films.glob("Alpha*.srt")
        track.write_text(track.read_text() + f"\n99\n00:00:01,000 --> 00:00:02,000\nThe {WORD} is open.\n")
        (nfo,) = self.films.glob("Alpha*.nfo")
        actor = f"<actor><name>{ACTOR}</name><role>The {WORD} keeper</role></actor></movie>"
        nfo.write_text(nfo.read_text().replace("</movie>", actor))
        self.golden.write_text(f'[[question]]\ndialogue = "{WORD}"\ntitle = "{ALPHA}"\ntime = "1.5"\n')

    def remove(self, title: str) -> None:
        for file in self.films.glob(f"{title}*"):
            file.unlink()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, bytes]:
    """Two releases with the film, measured by a question to it, its pictures in the cache.

    With the bytes of one picture. To be copied, not used.
    """
    house = House(tmp_path_factory.mktemp("house"))
    house.films.mkdir()
    house.algorithms.mkdir()
    films = Films(tmp_path_factory.mktemp("rendered"))
    for seed, title in enumerate((ALPHA, BRAVO)):
        films.put(house.films, title, seed=seed)
    house.plant()
    with house.open() as library:
        refresh(library)
        films.put(house.films, CHARLIE, seed=2)
        refresh(library)
        found = library.search(Query((Dialogue(WORD),)))
        pictures = [path for path in library.thumbnails(list(found)) if path]
        assert [hit.title_id for hit in found] == [ALPHA] and pictures
        assert library.evaluate(house.golden)[0].groups()[0].means["RR"] == 1
        jpeg = pictures[0].read_bytes()
    return house, jpeg[len(jpeg) // 2 :][:48]


@pytest.fixture
def house(built: tuple[House, bytes], tmp_path: Path) -> House:
    shutil.copytree(built[0].home.parent, tmp_path / "house")
    return House(tmp_path / "house")


def served(library: Library) -> dict[str, str]:
    rows = library.current().table("titles").to_table(columns=["title_id", "served"]).to_pylist()
    return {row["title_id"]: row["served"] for row in rows}


def markers(built: tuple[House, bytes]) -> list[bytes]:
    names = (WORD, ACTOR, ALPHA, "Alpha (2001)")
    return [*(name.encode() for name in names), SIGN, built[1]]


def nothing_left(house: House, built: tuple[House, bytes]) -> None:
    assert find(house.home, *markers(built)) == set()
    assert indexes_of_the_past(house.home) == unheld(house.home) == set()


def words_are_of_what_is_there(library: Library, folder: Path) -> None:
    """See that the index of what is said knows just the words of an index made anew."""
    reader = library.current()
    served = reader.table(reader.manifest.algorithms["dialogue"].table)
    store = FolderStore(folder / "anew")
    lance.write_dataset(served.to_table(), store.uri(layout.table("anew")))
    table = Table(store, "anew", {}, "text")
    assert words(served) == words(table.tend(table.open())) > 0


def test_every_marker_is_found_before(house: House, built: tuple[House, bytes]) -> None:
    for marker in markers(built):
        assert find(house.home, marker), marker
    assert any("planted" in name for name in find(house.home, SIGN))
    assert any("evaluations/" in name for name in find(house.home, WORD.encode()))
    assert any("cache" in name for name in find(house.home, built[1]))


def test_not_a_byte_is_left_and_all_others_are_what_they_were(
    house: House, built: tuple[House, bytes], tmp_path: Path
) -> None:
    with house.open() as library:
        before = served(library)
        snapshots, _ = holders(library.store, library_erasure(library, house))
        assert snapshots == [line["snapshot"] for line in lines(library.store)]
        library.erase(ALPHA)
        library.store.delete(layout.erasure(1))
        nothing_left(house, built)
        words_are_of_what_is_there(library, tmp_path)
        assert served(library) == {title: of for title, of in before.items() if title != ALPHA}
        assert library.verify().whole
        assert not library.search(Query((Dialogue(WORD),)))
        assert {title.title_id for title in library.titles()} == {BRAVO, CHARLIE}
        assert library.plan().stale().is_empty()
        assert [outcome.state for outcome in compute(library)] == []
        assert library.publish().outcome == "nothing new"
    with house.open() as library:
        words = {str(word) for word in library.current().table("people").to_table()["talent"].to_pylist()}
        assert words and ACTOR not in words
        # The number stays taken.
        assert max(record.title_no for record in library.catalog.titles.values()) == 3


def library_erasure(library: Library, house: House):  # type: ignore[no-untyped-def]
    house.remove("Alpha")
    return library.erasure(ALPHA)


def test_while_its_files_are_there_a_title_is_not_erased(house: House) -> None:
    with house.open() as library:
        with pytest.raises(UsageError, match="is still in the library folder"):
            library.erase(ALPHA)
        with pytest.raises(UsageError, match="There is no title"):
            library.erase("nobody")
        assert not erasures(library.store)
        assert ALPHA in served(library)


def test_pins_on_its_snapshots_go_and_others_stay(house: House) -> None:
    house.remove("Alpha")
    with house.open() as library:
        first = lines(library.store)[0]["snapshot"]
        for name, snapshot in (("on-it", first), ("elsewhere", "0-0")):
            body = {"snapshot": snapshot, "ttl_ms": 600_000, "who": "reader"}
            library.store.put(layout.pin(name), json.dumps(body).encode())
        _, pins = holders(library.store, library.erasure(ALPHA))
        assert pins == ["on-it"]
        library.erase(ALPHA)
        assert [info.key for info in library.store.list(layout.PINS)] == [layout.pin("elsewhere")]
        assert not library.store.exists(layout.snapshot(first))


def test_a_title_that_left_long_ago_is_still_in_the_files_and_goes(house: House, built: tuple[House, bytes]) -> None:
    house.remove("Alpha")
    with house.open() as library:
        library.scan(allow_loss=True)
        assert library.publish().removed == (ALPHA,)
        library.settings.__dict__["keep_snapshots"] = 0
        library.collect()
        # Its rows are deleted in fragments that others share.
        assert any("tables/" in name for name in find(house.home, WORD.encode(), SIGN))
        library.erase(ALPHA)
        library.store.delete(layout.erasure(1))
        nothing_left(house, built)
        assert library.verify().whole


STEPS = ("erase: after wish", "erase: before manifest", "erase: before collecting", "collect: before artifacts")


@pytest.mark.parametrize("step", [*STEPS, "erase: before catalogue"])
def test_one_that_was_killed_is_finished_by_the_next(house: House, built: tuple[House, bytes], step: str) -> None:
    house.remove("Alpha")
    with house.open() as library:
        _at.append(step)
        with pytest.raises(Dead):
            library.erase(ALPHA)
    with house.open() as library:
        assert served(library)
        # Of a snapshot that stays, once it is without the title.
        library.evaluate(house.golden)
        library.erase(ALPHA)
        library.store.delete(layout.erasure(1))
        nothing_left(house, built)
        assert library.verify().whole


def test_who_knew_the_title_before_does_not_write_it_down_again(house: House) -> None:
    house.remove("Alpha")
    with house.open() as late, house.open() as library:
        assert ALPHA in late.catalog.titles
        library.erase(ALPHA)
        # Many looks later all titles are written down in one entry.
        for number in range(70):
            (title,) = house.films.glob("Bravo*.nfo")
            title.write_text(title.read_text().replace("</movie>", f"<genre>G{number}</genre></movie>"))
            late.scan()
        assert late.catalog.n >= 64
        assert ALPHA not in late.catalog.titles
        library.store.delete(layout.erasure(1))
        assert not find(house.home / "store" / "catalog", ALPHA.encode(), ACTOR.encode())


def test_numbers_of_the_scan_are_decoded() -> None:
    frame = pl.DataFrame({"sign": [list(memoryview(SIGN).cast("f"))]}, schema={"sign": pl.Array(pl.Float32, 4)})
    from tests.publishing.erase.scanning import _bytes

    assert SIGN in _bytes(frame)
