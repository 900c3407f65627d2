"""Rows from files go the way of all annotations: only what they say anew is computed and published."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mediaflow.cli.main import app
from mediaflow.demo.library import make_film
from mediaflow.errors import UsageError
from mediaflow.imports.importing import SENTENCES
from tests.imports.attic import Attic, sign

ALPS, BEES, CATS = "alps-1991", "bees-1992", "cats-1993"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Attic:
    """Two titles have signs, the third has none; all is published."""
    attic = Attic(tmp_path_factory.mktemp("attic"))
    assert attic.refresh().outcome == "released"
    done = attic.take(attic.lines(sign(ALPS), sign("Bees", 600, 900, text="TAXI", letters=4, tags=["a", None])))
    assert (done.changed, done.same, done.removed, done.done) == ((ALPS, BEES), (), (), True)
    assert attic.refresh().outcome == "released"
    return attic


def test_until_something_is_imported_the_algorithm_waits_and_holds_nothing_up(tmp_path: Path) -> None:
    attic = Attic(tmp_path, ("Alps (1991)",))
    assert attic.refresh().outcome == "released"
    with attic.library() as library:
        (waiting,) = library.status()["waiting"]
        assert "mediaflow annotations import FILE --algorithm signs" in waiting["reason"]
        assert library.status()["algorithms"]["signs"]["served"] is False


def test_imported_rows_are_served_and_titles_without_rows_are_covered(filled: Attic) -> None:
    assert filled.served() == {ALPS: ["EXIT"], BEES: ["TAXI"], CATS: []}
    with filled.library() as library:
        found = library.status()["algorithms"]["signs"]
        assert (found["covered"], found["of"], found["pending"]) == (3, 3, [])


def test_the_same_rows_again_in_any_order_and_any_file_change_nothing(filled: Attic) -> None:
    rows = [sign(ALPS), sign(BEES, 600, 900, text="TAXI", letters=4, tags=["a", None])]
    before = filled.computed()
    for path in (filled.lines(*rows), filled.lines(*reversed(rows)), filled.parquet(*rows)):
        done = filled.take(path)
        assert (done.changed, done.same) == ((), (ALPS, BEES))
    assert filled.refresh().outcome == "nothing new"
    assert filled.computed() == before


def test_a_changed_file_computes_the_titles_that_changed_and_says_why(tmp_path: Path, filled: Attic) -> None:
    before = filled.computed()
    tried = filled.take(filled.lines(sign(ALPS, text="BUS")), dry_run=True)
    assert (tried.changed, tried.done) == ((ALPS,), False)
    with filled.library() as library:
        assert library.plan().reasons() == {}
    filled.take(filled.lines(sign(ALPS, text="BUS")))
    with filled.library() as library:
        assert library.plan().reasons() == {"import": 1}
        (link,) = library.why(ALPS, "signs").chain
        assert [one.field for one in link.fields if one.differs] == ["import"]
    published = filled.refresh()
    assert published.changed == (ALPS,)
    after = filled.computed()
    assert {title for title in after if after[title] != before[title]} == {ALPS}
    assert filled.served()[ALPS] == ["BUS"]
    filled.take(filled.lines(sign(ALPS)))
    assert filled.refresh().changed == (ALPS,)
    assert filled.computed() == before | {ALPS: before[ALPS]}


def test_replace_takes_the_rows_of_titles_away_that_the_file_does_not_name(tmp_path: Path) -> None:
    attic = Attic(tmp_path)
    attic.take(attic.lines())
    assert attic.refresh().outcome == "released"
    attic.take(attic.lines(sign(ALPS), sign(BEES)))
    attic.refresh()
    done = attic.take(attic.lines(sign(BEES, text="BUS")))
    assert done.removed == ()
    done = attic.take(attic.lines(sign(BEES, text="BUS"), sign(CATS)), replace=True)
    assert (done.changed, done.same, done.removed) == ((CATS,), (BEES,), (ALPS,))
    attic.refresh()
    assert attic.served() == {ALPS: [], BEES: ["BUS"], CATS: ["EXIT"]}


def test_nothing_is_imported_from_a_file_with_bad_rows_unless_they_are_to_be_left_out(tmp_path: Path) -> None:
    attic = Attic(tmp_path, ("Alps (1991)", "Bees (1992)"))
    attic.refresh()
    path = attic.lines(sign(ALPS), sign(ALPS, 500, 400), sign(BEES, 500, 400))
    done = attic.take(path)
    assert (done.rows, done.bad, done.done) == (3, 2, False)
    with attic.library() as library:
        assert library.imports.given() == {}
    done = attic.take(path, skip_bad=True)
    assert (done.bad, done.changed, done.done) == (2, (ALPS,), True)
    kept = attic.take(attic.lines(sign(BEES, 500, 400)), skip_bad=True, replace=True)
    assert (kept.removed, kept.changed) == ((ALPS,), ())


def test_what_was_imported_outlives_a_new_version_the_collector_and_a_lost_ledger(tmp_path: Path) -> None:
    attic = Attic(tmp_path, ("Alps (1991)",))
    attic.refresh()
    attic.take(attic.lines(sign(ALPS)))
    attic.refresh()
    attic.declare("2")
    attic.refresh()
    assert attic.served() == {ALPS: ["EXIT"]}
    with attic.library() as library:
        given = library.imports.attempts()
        library.collect()
        keys = [info.key for info in library.store.list("artifacts/import.signs/")]
        assert [key.split("/")[-1].partition(".")[0] for key in keys] == list(given)
    attic.take(attic.lines(sign(ALPS, text="BUS")))
    with attic.library() as library:
        assert library.plan().reasons() == {"import": 1}


def test_another_film_under_the_same_title_is_not_given_the_rows_of_the_old_one(tmp_path: Path) -> None:
    attic = Attic(tmp_path, ("Alps (1991)", "Bees (1992)"))
    attic.take(attic.lines())
    attic.refresh()
    (attic.films / "Alps (1991).mp4").unlink()
    make_film(attic.films / "Alps (1991).mp4", seed=7, shots=4, size=(96, 64), shot_seconds=1.0, fps=12)
    attic.refresh()
    done = attic.take(attic.lines(sign(ALPS, 2500, 3000)))
    assert done.changed == (ALPS,)
    attic.refresh()
    assert attic.served()[ALPS] == ["EXIT"]
    make_film(attic.films / "Alps (1991).mp4", seed=8, shots=1, size=(96, 64), shot_seconds=1.0, fps=12)
    attic.refresh()
    assert attic.served()[ALPS] == []
    with attic.library() as library:
        (waiting,) = library.status()["waiting"]
        assert waiting["state"] == "quarantined" and "another film" in waiting["reason"]


def test_an_algorithm_that_is_computed_or_unknown_or_broken_is_refused(filled: Attic, tmp_path: Path) -> None:
    rows = filled.lines(sign(ALPS))
    with filled.library() as library:
        with pytest.raises(UsageError, match="rows can be imported for signs"):
            library.import_annotations(rows, "faces")
        with pytest.raises(UsageError, match="are computed"):
            library.import_annotations(rows, "dialogue")
        with pytest.raises(UsageError, match="cannot be read"):
            library.import_annotations(tmp_path / "none.jsonl", "signs")


def test_a_title_that_is_erased_takes_what_was_imported_of_it_along(tmp_path: Path) -> None:
    attic = Attic(tmp_path)
    attic.scan()
    attic.take(attic.lines(sign(ALPS), sign(BEES)))
    attic.take(attic.lines(sign(ALPS, text="BUS")))
    attic.refresh()
    for file in attic.films.glob("Alps*"):
        file.unlink()
    with attic.library() as library:
        library.scan(allow_loss=True)
        assert set(library.imports.given()["signs"]) == {ALPS, BEES}
        library.erase(ALPS)
    with attic.library() as library:
        assert set(library.imports.given()["signs"]) == {BEES}
        keys = [info.key for prefix in ("imports/", "artifacts/") for info in library.store.list(prefix)]
        assert keys and not [key for key in keys if ALPS in key or ALPS.encode() in library.store.get(key)]
    assert attic.served() == {BEES: ["EXIT"], CATS: []}


def test_what_is_replaced_is_collected_once_nothing_needs_it(tmp_path: Path) -> None:
    attic = Attic(tmp_path, ("Alps (1991)",))
    attic.scan()
    attic.take(attic.lines(sign(ALPS)))
    attic.refresh()
    attic.take(attic.lines(sign(ALPS, text="BUS")))
    attic.refresh()
    day_ago = time.time() - 25 * 3600
    with attic.library() as library:
        files = [info.key for info in library.store.list("artifacts/import.signs/")]
        for key in files:
            path = library.store.path(key)
            assert path is not None
            os.utime(path, (day_ago, day_ago))
        library.collect()
        left = [info.key for info in library.store.list("artifacts/import.signs/")]
        (kept,) = library.imports.attempts()
        assert len(files) == 2 and [key for key in files if kept in key] == left


class TestCommand:
    """`mediaflow annotations import`."""

    def run(self, attic: Attic, *words: str) -> Result:
        settings = attic.settings.model_dump(exclude_defaults=True)
        listed = {"algorithm_folders": str(attic.algorithms), "built_in": "dialogue"}
        variables = {f"MEDIAFLOW_{name.upper()}": str(value) for name, value in (settings | listed).items()}
        return CliRunner(env=variables).invoke(app, ["annotations", "import", *words])

    def test_it_says_what_came_of_it(self, tmp_path: Path) -> None:
        attic = Attic(tmp_path)
        attic.scan()
        rows = str(attic.lines(sign(ALPS), sign(BEES)))
        tried = self.run(attic, rows, "--algorithm", "signs", "--dry-run")
        assert (tried.exit_code, tried.stdout) == (
            0,
            "2 rows, 0 of them bad\n2 titles would have other rows, 0 the same\n",
        )
        done = self.run(attic, rows, "--algorithm", "signs")
        assert done.exit_code == 0
        assert done.stdout.splitlines()[1:] == [
            "2 titles have other rows, 0 the same",
            "The next refresh publishes them.",
        ]
        said = self.run(attic, str(attic.lines(sign(ALPS))), "--algorithm", "signs", "--replace")
        assert said.stdout.splitlines()[1:3] == [
            "0 titles have other rows, 1 the same",
            f"1 title has none any more: {BEES}",
        ]

    def test_bad_rows_are_told_and_nothing_is_imported(self, tmp_path: Path) -> None:
        attic = Attic(tmp_path)
        attic.scan()
        rows = str(attic.lines(sign(ALPS), *[sign("dogs") for _ in range(SENTENCES + 2)]))
        refused = self.run(attic, rows, "--algorithm", "signs")
        assert refused.exit_code == 2
        *told, more, why = refused.stderr.splitlines()
        assert len(told) == SENTENCES and told[0].startswith("Row 2: title is 'dogs', and there is no such title")
        assert more == "2 more bad rows."
        assert why.startswith("Nothing was imported")
        body = json.loads(self.run(attic, rows, "--algorithm", "signs", "--skip-bad", "--json").stdout)
        assert (body["rows"], body["bad"], body["changed"], body["done"]) == (
            SENTENCES + 3,
            SENTENCES + 2,
            [ALPS],
            True,
        )
        assert body["problems"][0]["row"] == 2
        wrong = self.run(attic, rows, "--algorithm", "faces")
        assert (wrong.exit_code, wrong.stdout) == (2, "")
        assert wrong.stderr.startswith("There is no algorithm 'faces'")
