"""Clips of drawn films, whose cuts are known: found where they were cut out, also where their middle lies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import mediaflow
from mediaflow.demo.library import make_library
from mediaflow.library import Library
from mediaflow.search.query import Query, SimilarToClip, SimilarToPicture, SimilarToRange
from mediaflow.search.results import Hit
from tests.clips import encoded, lying, small_frames
from tests.refreshing import refresh


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Six films of about 28 s and 14 shots each."""
    folder = tmp_path_factory.mktemp("drawn")
    make_library(folder / "films", folder / "truth", seed=5, films=5, episodes=1, shots=14, size=(160, 90), fps=12)
    with mediaflow.open(home=folder / "home", library=folder / "films", settle_s=0, visual_model="demo") as library:
        refresh(library)
        yield library


# Where clips begin, and how long they are (ms).
CUT = [(2_700, 5_000), (9_000, 15_000), (12_600, 10_000)]


def shared(hit: Hit, start_ms: int, end_ms: int) -> float:
    """Return how much of the hit and the range is in both."""
    both = min(hit.end_ms, end_ms) - max(hit.start_ms, start_ms)
    return both / (max(hit.end_ms, end_ms) - min(hit.start_ms, start_ms))


@pytest.mark.parametrize(("start_ms", "length_ms"), CUT)
def test_a_clip_finds_the_time_that_it_was_cut_out_of(library: Library, start_ms: int, length_ms: int) -> None:
    for record in library.titles():
        clip = encoded(small_frames(library.root / record.path, start_ms, start_ms + length_ms))
        hit = library.search(Query((SimilarToClip(clip),), limit=1)).hits[0]
        assert hit.title_id == record.title_id
        # A hit is whole shots, two seconds long on average.
        assert shared(hit, start_ms, start_ms + length_ms) >= 0.5


@pytest.mark.parametrize(("start_ms", "length_ms"), CUT)
def test_a_clip_whose_middle_lies_is_found_all_the_same_and_its_middle_is_elsewhere(
    library: Library, start_ms: int, length_ms: int
) -> None:
    records = library.titles()
    for record, other in zip(records, [*records[1:], records[0]], strict=True):
        frames = small_frames(library.root / record.path, start_ms, start_ms + length_ms)
        clip, middle = lying(frames, small_frames(library.root / other.path, 20_000, 20_000 + length_ms * 3 // 10))
        hit = library.search(Query((SimilarToClip(clip),), limit=1)).hits[0]
        assert (hit.title_id, shared(hit, start_ms, start_ms + length_ms) >= 0.4) == (record.title_id, True)
        assert library.search(Query((SimilarToPicture(middle),), limit=1)).hits[0].title_id == other.title_id


def test_a_part_of_a_title_does_not_find_itself(library: Library) -> None:
    title = library.titles()[0].title_id
    hits = library.search(Query((SimilarToRange(title, 8_000, 14_000),), limit=50)).hits
    assert hits
    assert not [hit for hit in hits if hit.title_id == title and hit.start_ms < 14_000 and hit.end_ms > 8_000]
