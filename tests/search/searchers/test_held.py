"""What is held of rows says the same as the rows; who may not see all finds words by them, usual ones in order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mediaflow.search.gateway import Gateway
from mediaflow.search.query import Dialogue, Filters, Query
from mediaflow.search.searchers.held import Held, held, hold, rows_of_titles
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table
from tests.search.truths import Brute, questions, world
from tests.search.world import World, cue

TITLES, CUES, SEEN = 640, 20, 560
COLUMNS = {"start_ms": pl.Int64, "end_ms": pl.Int64, "text": pl.String}


def rows(titles: range, revision: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "title_no": np.repeat(np.array(titles, np.int32), 3),
            "revision": [f"{revision}{number}" for number in titles for _ in range(3)],
            "start_ms": np.arange(3 * len(titles)) * 10,
            "end_ms": np.arange(3 * len(titles)) * 10 + 5,
            "text": ["é" * (number % 7) for number in range(3 * len(titles))],
        }
    )


def test_every_row_is_found_by_its_address_whatever_was_deleted(tmp_path: Path) -> None:
    table = Table(FolderStore(tmp_path), "words", COLUMNS)
    dataset = table.replace(table.open(), [], table.write(table.open(), [rows(range(40), "a")]), {})
    dataset = table.replace(dataset, [], table.write(dataset, [rows(range(40, 50), "b")]), {})
    dataset = table.replace(dataset, [3, 4, 41], table.write(dataset, [rows(range(3, 5), "c")]), {})
    written = pl.DataFrame(pl.from_arrow(dataset.scanner(with_row_address=True).to_table()))
    assert len(written) == 3 * 49 and len(dataset.get_fragments()) == 3
    shuffled = written.sample(fraction=1, shuffle=True, seed=3)
    known = Held(dataset)
    addresses = shuffled["_rowaddr"].to_numpy()
    assert known.at(addresses).equals(shuffled.select("title_no", "start_ms", "end_ms", "revision"))
    assert known.lengths(addresses).to_list() == shuffled["text"].str.len_chars().to_list()
    numbers = np.array([3, 41, 7, 1_000], np.int32)
    assert rows_of_titles(dataset, numbers).tolist() == [3, 0, 3, 0]
    hold(dataset)
    assert rows_of_titles(dataset, numbers).tolist() == [3, 0, 3, 0]


def test_how_often_words_stand_is_guessed(tmp_path: Path) -> None:
    table = Table(FolderStore(tmp_path), "words", COLUMNS)
    said = pl.Series("text", ["You rarely sail" if at == 7 else "you" if at % 4 else "Sail!" for at in range(300)])
    many = rows(range(100), "a").with_columns(said)
    known = Held(table.replace(table.open(), [], table.write(table.open(), [many]), {}))
    assert known.share(["YOU"]) == pytest.approx(0.75, abs=0.01)
    assert known.share(["sail", "you"]) == pytest.approx(0.19, abs=0.01)
    assert known.share(["rarely"]) == known.share(["you", "nobody"]) == 0


def test_an_engine_that_holds_rows_answers_as_one_that_reads_them(tmp_path: Path) -> None:
    made = world(tmp_path)
    cold, warm = made.gateway(), made.gateway()
    warm.warm()
    assert held(warm.reader.table(warm.reader.manifest.algorithms["dialogue"].table))
    for question in questions(Brute(cold)):
        for query in (question.query, question.looser):
            assert warm.search(query) == cold.search(query)
    assert not held(cold.reader.table(cold.reader.manifest.algorithms["dialogue"].table))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Many titles: in each, `you` is said three times, `never` in every tenth once, in longer and longer texts."""
    made, cues = World(FolderStore(tmp_path_factory.mktemp("store"))), []
    for number in range(TITLES):
        made.title(f"film-{number:03}", genres=["Drama"] if number % 2 else ["News"])
        texts = ["you", "well you know", "what did you say"] + ["nothing at all"] * (CUES - 3)
        if number % 10 == 0:
            texts[10] = "never " + "on " * (number // 10)
        cues += [cue(f"film-{number:03}", 100 * at, 100 * at + 90, text) for at, text in enumerate(texts)]
    made.dialogue(*cues)
    return made


@pytest.fixture(scope="module", params=["held", "read"])
def some(request: pytest.FixtureRequest, large: World) -> Iterator[Gateway]:
    """What is seen by who may see most of them, all but the first."""
    gateway = large.gateway()
    if request.param == "held":
        gateway.warm()
    yield gateway.within(frozenset(f"film-{number:03}" for number in range(TITLES - SEEN, TITLES)))


def found(gateway: Gateway, text: str, limit: int, filters: Filters = Filters()) -> list[tuple[str, int, float]]:
    results = gateway.search(Query((Dialogue(text),), filters, limit=limit))
    return [(hit.title_id, hit.start_ms, hit.score) for hit in results]


def test_usual_words_come_in_the_order_of_titles_however_many_are_asked_for(some: Gateway) -> None:
    whole = found(some, "you", 1_000)
    assert (
        whole
        == [(f"film-{number:03}", 100 * at, 1.0) for number in range(TITLES - SEEN, TITLES) for at in range(3)][:1_000]
    )
    assert found(some, "you", 7) == whole[:7]
    assert found(some, "you", 200) == whole[:200]


def test_all_pages_of_usual_words_are_all_there_is(some: Gateway) -> None:
    query, offset, seen = Query((Dialogue("you"),), limit=700), 0, []
    while offset is not None:
        results = some.search(query, offset)
        seen += [(hit.title_id, hit.start_ms) for hit in results]
        offset = results.next_offset
    assert len(seen) == len(set(seen)) == 3 * SEEN and seen == sorted(seen)


def test_other_words_score_by_how_short_a_text_they_stand_in(some: Gateway) -> None:
    hits = found(some, "never", 100)
    assert [title for title, _, _ in hits] == [f"film-{number:03}" for number in range(TITLES - SEEN, TITLES, 10)]
    scores = [score for _, _, score in hits]
    assert all(one > other for one, other in pairwise(scores))


def test_of_few_titles_no_word_is_usual(some: Gateway) -> None:
    hits = found(some, "you", 200, Filters(genres=("Drama",)))
    assert len({score for _, _, score in hits}) == 1 and {start for _, start, _ in hits} == {0}
