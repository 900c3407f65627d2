"""Fusion: the formula, the moments that ranges share, and that no hit comes twice."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.search.post.fusion import CONSTANT, Fused, Ranked, fused, hits_of

Row = tuple[int, int, int, float]


def ranked(*rows: Row) -> pl.DataFrame:
    """Return a list of (title_no, start_ms, end_ms, score)."""
    schema = {"title_no": pl.Int32, "start_ms": pl.Int64, "end_ms": pl.Int64, "score": pl.Float64}
    return pl.DataFrame([list(row) for row in rows], schema=schema, orient="row")


def fuse(lists: Sequence[pl.DataFrame], weights: Sequence[float] | None = None) -> list[Fused]:
    """Fuse lists range by range, title by title; `Ranked.row` is the row's place in its frame."""
    by_title: dict[int, list[Ranked]] = {}
    for list_no, rows in enumerate(lists):
        ranks = rows["score"].rank("min", descending=True).cast(pl.Int64)
        columns = (rows["title_no"], ranks, rows["start_ms"], rows["end_ms"])
        for row, (title_no, rank, start_ms, end_ms) in enumerate(zip(*columns, strict=True)):
            # A range without length still stands for its instant.
            weight = weights[list_no] if weights else 1.0
            ranked = Ranked(rank, start_ms, max(end_ms, start_ms + 1), row, list_no, weight)
            by_title.setdefault(title_no, []).append(ranked)
    hits = [hit for title_no, ranges in by_title.items() for hit in hits_of(title_no, ranges)]
    return sorted(hits, key=lambda hit: (-hit.score, hit.title_no, hit.start_ms))


def shown(hits: Sequence[Fused]) -> list[tuple[int, int, int]]:
    return [(hit.title_no, hit.start_ms, hit.end_ms) for hit in hits]


ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(1, 25), st.integers(0, 5)).map(
        lambda row: (row[0], row[1], row[1] + row[2], float(row[3]))
    ),
    max_size=12,
)
LISTS = st.lists(ROWS, min_size=1, max_size=4)


def test_the_score_is_the_sum_of_reciprocal_ranks() -> None:
    first = ranked((0, 0, 10, 0.9), (1, 0, 10, 0.5))
    second = ranked((1, 0, 10, 7.0), (2, 0, 10, 3.0), (0, 0, 10, 1.0))
    scores = {hit.title_no: hit.score for hit in fuse([first, second])}
    assert scores[1] == pytest.approx(1 / (CONSTANT + 2) + 1 / (CONSTANT + 1))
    assert scores[0] == pytest.approx(1 / (CONSTANT + 1) + 1 / (CONSTANT + 3))
    assert scores[2] == pytest.approx(1 / (CONSTANT + 2))


def test_equal_scores_share_a_rank() -> None:
    hits = fuse([ranked((0, 0, 10, 1.0), (1, 0, 10, 1.0), (2, 0, 10, 0.5))])
    assert [hit.score for hit in hits] == pytest.approx([1 / 61, 1 / 61, 1 / 63])


@given(st.integers(1, 50))
def test_two_clauses_beat_one_at_equal_ranks(rank: int) -> None:
    better = [(7, at * 10, at * 10 + 5, 100.0 - at) for at in range(rank - 1)]
    alone, other = (1, 0, 10, 1.0), (2, 0, 10, 1.0)
    hits = fuse([ranked(*better, alone, other), ranked(*better, (2, 4, 12, 1.0))])
    place = {hit.title_no: at for at, hit in enumerate(hits)}
    assert place[2] < place[1]


def test_a_hit_is_the_time_that_its_ranges_share() -> None:
    hits = fuse([ranked((0, 5000, 9000, 1.0)), ranked((0, 4000, 6000, 1.0))])
    assert shown(hits) == [(0, 5000, 6000)]
    assert {source.list_no for source in hits[0].sources} == {0, 1}


def test_a_cue_across_two_shots_goes_to_the_better_shot_and_is_not_told_twice() -> None:
    shots = ranked((0, 0, 5000, 0.2), (0, 5000, 10_000, 0.9))
    cues = ranked((0, 4000, 6500, 3.0))
    first, second = fuse([shots, cues])
    assert (first.start_ms, first.end_ms, len(first.sources)) == (5000, 6500, 2)
    assert (second.start_ms, second.end_ms) == (0, 5000)
    assert [source.list_no for source in second.sources] == [0]


def test_a_scene_lends_its_rank_to_every_cue_in_it() -> None:
    scene = ranked((0, 0, 600_000, 1.0))
    cues = ranked(*((0, at * 100_000, at * 100_000 + 2000, 5.0 - at) for at in range(3)))
    outside = ranked((1, 0, 2000, 4.5))
    hits = fuse([scene, pl.concat([cues, outside])])
    assert shown(hits) == [(0, 0, 2000), (0, 100_000, 102_000), (0, 200_000, 202_000), (1, 0, 2000)]
    assert [len(hit.sources) for hit in hits] == [2, 2, 2, 1]


def test_translations_of_a_line_are_sources_of_one_hit() -> None:
    lines = ranked((0, 4000, 6000, 3.0), (0, 4100, 6100, 2.0), (0, 3900, 5800, 1.0), (0, 6050, 8000, 0.5))
    first, second = fuse([lines])
    assert (first.start_ms, first.end_ms, len(first.sources)) == (4000, 6000, 3)
    assert (second.start_ms, second.end_ms, len(second.sources)) == (6050, 8000, 1)


def test_a_range_that_is_used_up_lends_its_rank_no_more() -> None:
    first = ranked((0, 0, 1000, 1.0), (0, 0, 4000, 1.0))
    second = ranked((0, 0, 3000, 1.0), (0, 3000, 4000, 2.0))
    hits = fuse([first, second])
    assert shown(hits) == [(0, 3000, 4000), (0, 0, 1000)]
    assert [len(hit.sources) for hit in hits] == [2, 2]


def test_a_range_without_length_is_found() -> None:
    assert shown(fuse([ranked((0, 7, 7, 1.0))])) == [(0, 7, 8)]


@given(LISTS)
def test_hits_of_a_title_never_overlap_and_come_best_first(lists: list[list[Row]]) -> None:
    hits = fuse([ranked(*rows) for rows in lists])
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for title_no in {hit.title_no for hit in hits}:
        own = sorted((hit.start_ms, hit.end_ms) for hit in hits if hit.title_no == title_no)
        assert all(end_ms <= start_ms for (_, end_ms), (start_ms, _) in itertools.pairwise(own))


@given(LISTS, st.randoms(use_true_random=False))
def test_the_order_of_lists_and_of_rows_makes_no_difference(lists: list[list[Row]], random: object) -> None:
    frames = [ranked(*rows) for rows in lists]
    other = [ranked(*random.sample(rows, len(rows))) for rows in lists]  # type: ignore[attr-defined]
    random.shuffle(other)  # type: ignore[attr-defined]
    plain = [(hit.score, *rest) for hit, rest in zip(fuse(frames), shown(fuse(frames)), strict=True)]
    assert plain == [(hit.score, *rest) for hit, rest in zip(fuse(other), shown(fuse(other)), strict=True)]


@given(LISTS, st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=4, max_size=4))
def test_as_moments_they_are_the_same(lists: list[list[Row]], weights: list[float]) -> None:
    frames = [ranked(*rows) for rows in lists]
    numbered = [
        frame.with_columns(pl.concat_list(pl.int_range(pl.len()) + 100 * at).alias("sources"))
        for at, frame in enumerate(frames)
    ]
    moments = fused(numbered, weights[: len(lists)])
    hits = fuse(frames, weights)
    told = moments.select("title_no", "start_ms", "end_ms", "score").rows()
    assert told == [(hit.title_no, hit.start_ms, hit.end_ms, hit.score) for hit in hits]
    sources = [{100 * one.list_no + one.row for one in hit.sources} for hit in hits]
    assert [set(one) for one in moments["sources"].to_list()] == sources


@given(LISTS)
def test_the_best_score_is_the_best_instant(lists: list[list[Row]]) -> None:
    """The definition, worked out instant by instant."""

    def rank(rows: list[Row], row: Row) -> int:
        return 1 + sum(other[3] > row[3] for other in rows)

    best = 0.0
    for title_no in range(3):
        for at in range(70):
            covering = [[rank(rows, r) for r in rows if r[0] == title_no and r[1] <= at < r[2]] for rows in lists]
            best = max(best, math.fsum(1 / (CONSTANT + min(ranks)) for ranks in covering if ranks))
    hits = fuse([ranked(*rows) for rows in lists])
    assert (hits[0].score if hits else 0.0) == pytest.approx(best)


@given(ROWS)
def test_every_range_of_a_single_list_is_a_source_or_lies_in_better_hits(rows: list[Row]) -> None:
    hits = fuse([ranked(*rows)])
    sources = {source.row for hit in hits for source in hit.sources}
    for at, (title_no, start_ms, end_ms, _) in enumerate(rows):
        told = {ms for hit in hits if hit.title_no == title_no for ms in range(hit.start_ms, hit.end_ms)}
        assert at in sources or len(told & set(range(start_ms, end_ms))) * 4 >= end_ms - start_ms


def test_what_is_left_of_a_range_is_told_by_its_longest_part() -> None:
    assert shown(fuse([ranked((0, 0, 100, 1.0), (0, 10, 20, 2.0))])) == [(0, 10, 20), (0, 20, 100)]
