"""A score of one's own: one file, given what fusion knows, and no harm to others where it is broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.process.wire import read_query, write_query
from mediaflow.search.query import AllOf, AnyOf, Clause, Dialogue, Filters, Query, Visual, Weighted, Where
from mediaflow.search.results import Results
from mediaflow.search.scores import Score, ScoreFailed, Scores
from mediaflow.storage import layout
from tests.conftest import ROOT
from tests.search.harbour import make_world
from tests.search.world import OneEncoder, RawPictures

HEAD = """
import polars as pl
from mediaflow.search.scores import Score

class One(Score):
    name = "{name}"
    owner = "team:club"

    def score(self, found):
        {body}
"""
SEEN: list[pl.DataFrame] = []
CLAUSES = (Weighted(Visual("red car"), 3.0), AnyOf((Dialogue("hello"), Where("faces", "face"))))


def plugin(folder: Path, body: str, name: str = "own", head: str = HEAD) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(head.format(name=name, body=body))
    return folder


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[Path], Gateway]:
    world = make_world(tmp_path / "store")
    reader = world.reader()
    world.store.put(layout.snapshot(reader.id), reader.manifest.to_json())
    return lambda *folders: Gateway(reader, OneEncoder(), RawPictures(), scores=Scores(folders))


def asked(gateway: Gateway, score: str | None, *clauses: Clause, offset: int = 0, limit: int = 100) -> Results:
    return gateway.search(Query(clauses or CLAUSES, limit=limit, score=score), offset)


def test_the_example_of_the_page_scores_by_what_rows_score_themselves(
    tmp_path: Path, opened: Callable[..., Gateway]
) -> None:
    page = (ROOT / "docs" / "query.md").read_text()
    (example,) = re.findall(r'```python\n("""`surest`.*?)```', page, re.DOTALL)
    (tmp_path / "surest.py").write_text(example)
    gateway = opened(tmp_path)
    plain = {(hit.title_id, hit.start_ms, hit.end_ms): hit for hit in asked(gateway, None)}
    hits = list(asked(gateway, "surest"))
    assert {(hit.title_id, hit.start_ms, hit.end_ms) for hit in hits} == plain.keys()
    best: dict[int, float] = {}
    for hit in plain.values():
        for source in hit.sources:
            best[source.clause] = max(best.get(source.clause, 0.0), source.score)
    for hit in hits:
        shares: dict[int, float] = {}
        for source in hit.sources:
            share = source.score / best[source.clause] * (3.0 if source.clause == 0 else 1.0)
            shares[source.clause] = max(shares.get(source.clause, share), share)
        assert hit.score == pytest.approx(sum(shares.values()))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert [hit.score for hit in hits] != [hit.score for hit in plain.values()]


def test_it_is_given_each_row_with_clause_rank_score_and_weight(tmp_path: Path, opened: Callable[..., Gateway]) -> None:
    write = f'found.write_parquet("{tmp_path}/seen.parquet"); '
    body = write + 'return found.select("moment", score="fused").unique()'
    gateway = opened(plugin(tmp_path / "scores", body))
    hits = list(asked(gateway, "own"))
    seen = pl.read_parquet(tmp_path / "seen.parquet")
    assert seen.columns == ["moment", "title_no", "start_ms", "end_ms", "fused", "clause", "rank", "score", "weight"]
    assert (
        seen.sort("moment", "clause", "rank")
        .select("moment", "clause", "rank")
        .equals(seen.select("moment", "clause", "rank"))
    )
    told = {
        (row["title_no"], row["start_ms"], row["end_ms"], row["clause"], row["rank"], row["score"], row["weight"])
        for row in seen.iter_rows(named=True)
    }
    weights = {0: 3.0, 1: 1.0, 2: 1.0}
    expected = set()
    for hit in hits:
        for source in hit.sources:
            expected.add((hit.title_no, hit.start_ms, hit.end_ms, source.clause, source.score, weights[source.clause]))
    assert {(*row[:4], *row[5:]) for row in told} == expected
    assert [hit.score for hit in hits] == [hit.score for hit in asked(gateway, None)]


def test_one_clause_and_a_combination_are_scored_too(tmp_path: Path, opened: Callable[..., Gateway]) -> None:
    body = 'return found.group_by("moment").agg(score=-pl.col("start_ms").first())'
    gateway = opened(plugin(tmp_path, body))
    for clause in (Dialogue("hello"), Visual("car"), AllOf((Dialogue("hello"), Visual("car")))):
        hits = list(asked(gateway, "own", clause))
        assert hits and [hit.score for hit in hits] == [-hit.start_ms for hit in hits]
        order = [(hit.start_ms, hit.title_no) for hit in hits]
        assert order == sorted(order)


def test_pages_and_groups_are_of_that_score(tmp_path: Path, opened: Callable[..., Gateway]) -> None:
    body = 'return found.group_by("moment").agg(score=pl.col("start_ms").first() % 7)'
    gateway = opened(plugin(tmp_path, body))
    whole = [(hit.title_no, hit.start_ms, hit.score) for hit in asked(gateway, "own", Dialogue("hello"))]
    assert len(whole) > 3
    paged: list[tuple[int, int, float]] = []
    offset: int | None = 0
    while offset is not None:
        page = asked(gateway, "own", Dialogue("hello"), offset=offset, limit=2)
        paged += [(hit.title_no, hit.start_ms, hit.score) for hit in page]
        offset = page.next_offset
    assert paged == whole
    query = Query((Dialogue("hello"),), group_by="title", score="own", limit=100)
    best: dict[int, tuple[int, int, float]] = {}
    for one in whole:
        best.setdefault(one[0], one)
    assert [(hit.title_no, hit.start_ms, hit.score) for hit in gateway.search(query)] == list(best.values())


BROKEN = {
    "raises": ("raise KeyError('x')", "raised KeyError"),
    "exits": ("raise SystemExit(3)", "raised SystemExit"),
    "an unknown column": ("return found.select('nose')", "raised ColumnNotFoundError"),
    "a list": ("return [1.0]", "gave a list where"),
    "other columns": ("return found.select('moment')", "gave a DataFrame of moment where"),
    "texts": ("return found.select('moment', score=pl.lit('a')).unique()", "something else than numbers"),
    "too few": ("return found.select('moment', score='fused').head(1)", "gave 1 scores for"),
    "too many": ("return found.select('moment', score='fused')[[0, 0]]", "gave 2 scores for"),
    "nan": ("return found.select('moment', score=pl.lit(float('nan'))).unique()", "no finite numbers"),
    "infinite": ("return found.select('moment', score=pl.lit(float('inf'))).unique()", "no finite numbers"),
    "nothing": ("return found.select('moment', score=pl.lit(None)).unique()", "no finite numbers"),
}


@pytest.mark.parametrize(("body", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_one_is_a_sentence_with_its_owner_and_all_else_is_answered(
    tmp_path: Path, opened: Callable[..., Gateway], body: str, said: str
) -> None:
    gateway = opened(plugin(tmp_path, body))
    with pytest.raises(ScoreFailed, match=said) as raised:
        asked(gateway, "own")
    assert "Its owner is team:club" in raised.value.message
    assert raised.value.fields["owner"] == "team:club"
    assert asked(gateway, None).hits


def test_what_does_not_import_is_that_score_alone(tmp_path: Path, opened: Callable[..., Gateway]) -> None:
    plugin(tmp_path, "return found.select('moment', score='fused').unique()")
    plugin(tmp_path, "pass", "lost", "import nowhere_to_be_found")
    plugin(tmp_path, "pass", "empty", "")
    plugin(tmp_path, "pass", "odd", HEAD.replace('"{name}"', '"Odd one"'))
    gateway = opened(tmp_path)
    assert asked(gateway, "own").hits
    for name, said in (("lost", "ModuleNotFoundError"), ("empty", "no subclass of Score"), ("odd", "lower case")):
        with pytest.raises(ScoreFailed, match=said):
            asked(gateway, name)
    with pytest.raises(UsageError, match="There is no score 'other'; there are empty, lost, odd, own"):
        asked(gateway, "other")
    with pytest.raises(UsageError, match="'score_folders' says where"):
        asked(opened(), "own")


def test_no_hits_are_no_hits(tmp_path: Path, opened: Callable[..., Gateway]) -> None:
    gateway = opened(plugin(tmp_path, "return found.select('moment', score='fused').unique()"))
    assert asked(gateway, "own", Dialogue("zebra")).hits == ()
    nobody = Query((Dialogue("hello"),), Filters(genres=("Western",)), score="own")
    assert gateway.search(nobody).hits == ()
    with pytest.raises(UsageError):
        gateway.search(Query((Dialogue("hello"),), Filters(genres=("Western",)), score="other"))


def test_it_is_named_in_the_json_form() -> None:
    query = read_query({"clauses": [{"dialogue": {"text": "a"}}], "score": "own"})
    assert query.score == "own"
    assert write_query(query)["score"] == "own"


def test_score_has_to_be_written() -> None:
    with pytest.raises(TypeError, match="must define score"):
        Score().score(pl.DataFrame())
