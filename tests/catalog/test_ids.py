"""Title ids: readable, unique, stable, given once."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mediaflow.catalog.found import FoundTitle, Scan
from mediaflow.catalog.ids import free_id, slug
from mediaflow.catalog.records import CatalogueEntry, FileRef
from mediaflow.catalog.titles import Catalog, update
from mediaflow.storage.objects import FolderStore
from tests.conftest import examples

FORM = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200)
NUMBER = st.none() | st.integers(0, 99_999)
ENTRIES = st.builds(
    CatalogueEntry,
    title=TEXT,
    kind=st.sampled_from(["movie", "episode", "video"]),
    year=NUMBER,
    series=st.none() | TEXT,
    season=NUMBER,
    episode=NUMBER,
    episode_end=NUMBER,
)


def test_examples() -> None:
    show = CatalogueEntry("Pilot", "episode", series="The Show", season=1, episode=2)
    assert slug(show, "x") == "the-show-s01e02"
    assert slug(CatalogueEntry("Déjà Vu!", "movie", year=2006), "x") == "deja-vu-2006"
    assert re.fullmatch("title-[0-9a-f]{8}", slug(CatalogueEntry("🎬🎬"), "🎬🎬.mp4"))
    assert slug(CatalogueEntry("🎬", year=1999), "a") != slug(CatalogueEntry("🎬", year=1999), "b")


@given(ENTRIES, TEXT)
def test_form(entry: CatalogueEntry, path: str) -> None:
    found = slug(entry, path)
    assert FORM.fullmatch(found)
    assert len(found) <= 80
    suffixed = free_id(entry, path, {found})
    assert FORM.fullmatch(suffixed)
    assert len(suffixed) <= 80
    assert suffixed != found


@given(ENTRIES, st.sets(TEXT, min_size=2, max_size=12))
def test_the_same_name_in_many_places_gives_as_many_ids(entry: CatalogueEntry, paths: set[str]) -> None:
    taken: set[str] = set()
    for path in paths:
        taken.add(free_id(entry, path, taken))
    assert len(taken) == len(paths)


NAMES = ["a", "A", "a (2000)", "á", "a!", "b", "🎬", "—"]
STEPS = st.lists(st.sets(st.sampled_from([f"{folder}/{name}.mp4" for folder in "xy" for name in NAMES])), max_size=6)


@examples(0.4)
@given(STEPS)
def test_whatever_comes_and_goes_a_path_keeps_its_id_and_no_id_has_two_paths(steps: list[set[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog.load(FolderStore(Path(folder)))
        owner: dict[str, str] = {}
        for paths in steps:
            gone = [record.title_id for record in catalog.present() if record.path not in paths]
            found = [_found(path) for path in paths]
            catalog = update(catalog, Scan(found, gone, [], [])).catalog
            present = {record.path: record.title_id for record in catalog.present()}
            assert set(present) == paths
            for path, title_id in present.items():
                assert owner.setdefault(path, title_id) == title_id
            numbers = [record.title_no for record in catalog.titles.values()]
            assert len(set(numbers)) == len(numbers) == len(set(owner.values())) == len(owner)
        assert Catalog.load(FolderStore(Path(folder))).titles == catalog.titles


def _found(path: str) -> FoundTitle:
    title = path.split("/")[1].removesuffix(".mp4")
    return FoundTitle(path, (FileRef(path, 1, "00"),), (), CatalogueEntry(title), {"media": "00"})
