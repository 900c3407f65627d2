"""Files are not trusted: each bad row gets a sentence, in both formats the same; a broken file is one sentence."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.algorithms.contract import Imported, Shape
from mediaflow.errors import UsageError
from mediaflow.imports import importing
from mediaflow.imports.check import Declared, Titles
from mediaflow.imports.files import LONGEST_LINE
from mediaflow.imports.given import Imports, rows_of
from mediaflow.imports.importing import SENTENCES, import_file
from mediaflow.storage.objects import FolderStore
from tests.conftest import examples


class Faces(Imported):
    """Rows with all that can be wrong."""

    name = "faces"
    version = "1"
    owner = "ann@example.org"
    shape = Shape.FRAME_VECTOR
    dim = 2
    fields: ClassVar[dict[str, Any]] = {
        "age": pl.Int8,
        "smile": pl.Float32,
        "who": pl.String,
        "seen": pl.Boolean,
        "near": pl.List(pl.Float32),
        "place": pl.Struct({"row": pl.Int16}),
    }


FACES = Declared(Faces(), 2)
KINDS = {"title": pl.String, **FACES.columns}
TITLES = Titles([("alps", "Alps"), ("bees", "Bees"), ("bees-2", "bees")], {"alps": 10_000})
FACE: dict[str, Any] = {"title": "alps", "start_ms": 0, "end_ms": 40, "x": 0.0, "y": 0.5, "w": 1.0, "h": 0.5} | {
    "vector": [0.6, -0.8],
    "age": 30,
    "smile": 0.5,
    "who": "Ann",
    "seen": True,
    "near": [0.5, None],
    "place": {"row": 3},
}
NAN, INF = math.nan, math.inf
# What is changed in a row, and what is said of it.
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no title": ({"title": None}, "title is"),
    "unknown title": ({"title": "dogs"}, "title is 'dogs', and there is no such title: 'mediaflow titles' lists them."),
    "two of a name": (
        {"title": "BEES"},
        "title is 'BEES', as more than one is called: name it by its id (bees, bees-2).",
    ),
    "no start": ({"start_ms": None}, "start_ms is"),
    "before the film": ({"start_ms": -1}, "start_ms is -1: write milliseconds from the start of the film."),
    "backwards": ({"start_ms": 41}, "end_ms is 40, before start_ms (41): a range runs forward."),
    "after the film": (
        {"end_ms": 11_001},
        "end_ms is 11001, and the film lasts 10000 ms: write milliseconds from its start.",
    ),
    "left of the picture": ({"x": -0.1}, "x is -0.1: boxes are fractions of the picture, from 0 to 1."),
    "pixels": ({"y": 120.0}, "y is 120.0: boxes are fractions of the picture, from 0 to 1."),
    "over the edge": ({"x": 0.5}, "w is 1.0, and with x the box ends outside of the picture: make it smaller."),
    "a box of nan": ({"h": NAN}, "h is not"),
    "no unit vector": (
        {"vector": [3.0, 4.0]},
        "vector has the norm 5.0: divide it by that, as vectors are of unit norm.",
    ),
    "a short vector": ({"vector": [1.0]}, "vector"),
    "a vector of nan": ({"vector": [NAN, 1.0]}, "vector"),
    "a vector of infinity": ({"vector": [INF, 0.0]}, "vector"),
    "an infinite field": ({"smile": -INF}, "smile is not"),
    "a field too large": ({"smile": 1e300}, "smile is not a finite number: leave the row out."),
    "a whole number too large": ({"age": 128}, "age"),
}
BESIDE = {
    **KINDS,
    "age": pl.Int64,
    "smile": pl.Float64,
    "vector": pl.List(pl.Float64),
    "x": pl.Float64,
    "y": pl.Float64,
}


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows))
    return path


def parquet(path: Path, *rows: dict[str, Any]) -> Path:
    pl.DataFrame(rows, schema=BESIDE).write_parquet(path)
    return path


def take(folder: Path, path: Path, **how: Any) -> importing.Imported:
    store = FolderStore(folder / "store")
    return import_file(store, Imports.of(store).refresh(), path, FACES, TITLES, folder, **how)


def given_rows(folder: Path, title: str = "alps") -> list[dict[str, Any]]:
    store = FolderStore(folder / "store")
    given = Imports.of(store).refresh().given()["faces"][title]
    return rows_of(store, "faces", title, given).sort("start_ms").to_dicts()


@pytest.mark.parametrize(("changed", "said"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("written", [lines, parquet])
def test_a_bad_row_gets_a_sentence_and_stops_the_import(
    tmp_path: Path, written: Any, changed: dict[str, Any], said: str
) -> None:
    path = written(tmp_path / "rows", FACE, FACE | changed, FACE)
    done = take(tmp_path, path)
    assert (done.rows, done.bad, done.done) == (3, 1, False)
    (problem,) = done.problems
    assert problem.sentence.startswith(f"Row 2: {said}") and problem.sentence.endswith(".")
    done = take(tmp_path, path, skip_bad=True)
    assert (done.changed, done.bad) == (("alps",), 1)
    assert len(given_rows(tmp_path)) == 2


@pytest.mark.parametrize("written", [lines, parquet])
def test_good_rows_are_kept_as_they_are(tmp_path: Path, written: Any) -> None:
    empty = dict.fromkeys(Faces.fields)
    done = take(tmp_path, written(tmp_path / "rows", FACE, FACE | empty | {"title": "Alps", "start_ms": 40}))
    assert (done.changed, done.bad) == (("alps",), 0)
    first, second = given_rows(tmp_path)
    vector = first.pop("vector")
    assert vector == pytest.approx([0.6, -0.8], abs=1e-3)
    assert first == {name: value for name, value in FACE.items() if name not in ("title", "vector")}
    assert {name: second[name] for name in Faces.fields} in (empty, empty | {"place": {"row": None}})


def test_one_file_in_both_formats_has_the_same_rows(tmp_path: Path) -> None:
    assert take(tmp_path, lines(tmp_path / "rows.jsonl", FACE)).changed == ("alps",)
    assert take(tmp_path, parquet(tmp_path / "rows.parquet", FACE)).same == ("alps",)


LINES = {
    "no json": ("{", "Row 1 is no JSON ("),
    "two objects": ("{} {}", "Row 1 is no JSON ("),
    "a list": ("[1]", "Row 1 is no JSON object: write one a line."),
    "deep": ("[" * 100_000, "Row 1 is no JSON"),
    "no text": ("\x00\x01\x02", "Row 1 is no JSON ("),
    "half a character": (json.dumps(FACE)[:-1] + ', "who": "\\ud800"}', "Row 1"),
    "long": (" " * (LONGEST_LINE + 1) + "{}", f"Row 1 is longer than {LONGEST_LINE} bytes: leave it out."),
    "a strange key": (json.dumps(FACE | {"nose": 1}), "Row 1: nose is not declared: faces declares title, start_ms ("),
    "a text for a number": (json.dumps(FACE | {"age": "30"}), "Row 1: age is not Int8 (input should be"),
    "a fraction": (json.dumps(FACE | {"start_ms": 1.5}), "Row 1: start_ms is not Int64 (input should be"),
    "a deep field": (json.dumps(FACE | {"place": {"row": "x"}}), "Row 1: place is not Struct"),
    "a missing column": (json.dumps({"title": "alps"}), "Row 1: start_ms is empty: every row needs it."),
}


@pytest.mark.parametrize(("line", "said"), LINES.values(), ids=LINES)
def test_a_line_that_is_no_row_gets_a_sentence_and_the_next_one_is_read(tmp_path: Path, line: str, said: str) -> None:
    done = take(tmp_path, lines(tmp_path / "rows", line, "", FACE), skip_bad=True)
    assert (done.rows, done.bad, done.changed) == (2, 1, ("alps",))
    assert done.problems[0].sentence.startswith(said)


def test_only_so_many_bad_rows_are_told_and_all_are_counted(tmp_path: Path) -> None:
    done = take(tmp_path, lines(tmp_path / "rows", *[FACE | {"start_ms": -at} for at in range(1, 101)]))
    assert (done.rows, done.bad, len(done.problems)) == (100, 100, SENTENCES)
    assert [one.row for one in done.problems] == list(range(1, SENTENCES + 1))


WHOLE: dict[str, tuple[pl.DataFrame, str]] = {
    "a column too many": (pl.DataFrame([FACE | {"nose": 1}]), "has an undeclared column nose: faces declares title,"),
    "a column too few": (pl.DataFrame([FACE]).drop("vector", "x"), "has no column x, vector: faces declares title,"),
    "texts for numbers": (pl.DataFrame([FACE | {"start_ms": "0"}]), "has the column start_ms as String"),
    "a flag for a number": (pl.DataFrame([FACE | {"age": True}]), "has the column age as Boolean"),
    "vectors of texts": (pl.DataFrame([FACE | {"vector": ["a", "b"]}]), "has the column vector as List"),
    "other places": (pl.DataFrame([FACE | {"place": {"column": 3}}]), "has the column place as Struct"),
}


@pytest.mark.parametrize(("frame", "said"), WHOLE.values(), ids=WHOLE)
def test_parquet_of_another_type_is_refused_as_a_whole(tmp_path: Path, frame: pl.DataFrame, said: str) -> None:
    path = tmp_path / "rows.parquet"
    frame.write_parquet(path)
    with pytest.raises(UsageError) as raised:
        take(tmp_path, path)
    assert said in raised.value.message


@given(st.data())
@examples(0.3)
def test_broken_parquet_is_one_sentence_or_rows_as_any_others(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    path = parquet(folder / "rows", *[FACE] * 50)
    whole = path.read_bytes()
    if data.draw(st.booleans()):
        broken = whole[: data.draw(st.integers(4, len(whole) - 1))]
    else:
        at = data.draw(st.integers(4, len(whole) - 1))
        broken = whole[:at] + data.draw(st.binary(min_size=1, max_size=8)) + whole[at + 8 :]
    path.write_bytes(broken)
    try:
        done = take(folder, path)
    except UsageError as error:
        assert error.message.endswith(".")
    else:
        assert done.rows


def test_numbers_that_pandas_made_fractions_are_read_as_the_whole_numbers_that_they_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    whole = pl.DataFrame([FACE, FACE], schema=BESIDE).with_columns(pl.Series("start_ms", [0.0, 0.5]))
    whole.write_parquet(path)
    done = take(tmp_path, path, skip_bad=True)
    assert [one.sentence for one in done.problems] == [
        "Row 2: start_ms is not a whole number that fits Int64: write one."
    ]
    assert [row["start_ms"] for row in given_rows(tmp_path)] == [0]


def test_rows_of_one_title_far_apart_in_a_large_file_come_together(tmp_path: Path) -> None:
    count = 150_000
    names = ("alps", "bees", "bees-2")
    same = pl.DataFrame([FACE], schema=KINDS).drop("near")[[0] * count]
    said = pl.Series([names[at % 3] for at in range(count)])
    rows = same.with_columns(title=said, who=pl.int_range(count).cast(pl.String))
    path = tmp_path / "rows.parquet"
    rows.write_parquet(path)
    told: list[tuple[str, float]] = []
    done = take(tmp_path, path, part_bytes=1 << 20, progress=lambda what, share: told.append((what, share)))
    assert (done.rows, done.bad, done.changed) == (count, 0, names)
    for at, name in enumerate(names):
        found = given_rows(tmp_path, name)
        assert {row["who"] for row in found} == {str(who) for who in range(at, count, 3)}
        assert len(found) == count // 3
    steps = [what for what, _ in told]
    assert steps.count("checking") > 1 and steps.count("importing") > 1
    assert told == sorted(told)
