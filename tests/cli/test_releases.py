"""Releases on the command line: the list, the difference, back and on again, and the search of the past."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

import mediaflow
from mediaflow.cli.main import app
from mediaflow.demo.library import make_film
from mediaflow.library import Library
from mediaflow.search.query import Query, Visual
from tests.models.conftest import MakeModel, make_model
from tests.refreshing import refresh

__all__ = ["make_model"]


class Shop:
    """A library of one film whose model and films change, and its commands."""

    def __init__(self, folder: Path, models: tuple[Path, Path]) -> None:
        self.folder, self.films, self.models = folder, folder / "films", models
        self.model = models[0]
        (folder / "mediaflow.toml").touch()

    def library(self) -> Library:
        return mediaflow.open(
            home=self.folder / "home", library=self.films, settle_s=0, visual_model=str(self.model), decode_workers=1
        )

    def film(self, name: str, seed: int) -> None:
        make_film(self.films / f"{name}.mp4", seed=seed, shots=2, size=(96, 64), shot_seconds=1.0, fps=12)

    def run(self, *words: str) -> Result:
        variables = {
            "MEDIAFLOW_HOME": str(self.folder / "home"),
            "MEDIAFLOW_LIBRARY": str(self.films),
            "MEDIAFLOW_VISUAL_MODEL": str(self.model),
            "MEDIAFLOW_SETTLE_S": "0",
            "MEDIAFLOW_CONFIG": str(self.folder / "mediaflow.toml"),
        }
        return CliRunner(env=variables).invoke(app, list(words))

    def lines(self, *words: str) -> list[dict[str, Any]]:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    def scores(self, *words: str) -> list[tuple[str, int, float]]:
        return [(hit["title_id"], hit["start_ms"], hit["score"]) for hit in self.lines("search", *words)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, make_model: MakeModel) -> Shop:
    """Two releases: one film with one model, then two films with another."""
    folder = tmp_path_factory.mktemp("shop")
    shop = Shop(folder, (make_model(folder / "one", seed=1), make_model(folder / "two", seed=2)))
    shop.film("One (1991)", 1)
    with shop.library() as library:
        refresh(library)
        first = library.search(Query((Visual("a red car"),)))
    assert len(first)
    (folder / "first.json").write_text(json.dumps([(hit.title_id, hit.start_ms, hit.score) for hit in first]))
    shop.film("Two (1992)", 2)
    shop.model = shop.models[1]
    with shop.library() as library:
        refresh(library)
    return shop


def first_answer(shop: Shop) -> list[tuple[str, int, float]]:
    return [tuple(hit) for hit in json.loads((shop.folder / "first.json").read_text())]


def test_snapshots_lists_the_releases_with_their_models(shop: Shop) -> None:
    found = shop.lines("snapshots")
    assert [(line["number"], line["kind"], line["titles"]) for line in found[:2]] == [
        (1, "publish", 1),
        (2, "publish", 2),
    ]
    models = [line["algorithms"]["visual"] for line in found[:2]]
    assert [model["model_name"] for model in models] == list(map(str, shop.models))
    assert len({model["model"] for model in models}) == len({model["generation"] for model in models}) == 2
    printed = shop.run("snapshots").stdout
    assert re.search(r"^1 +publish +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d +0{19}", printed, re.M)
    assert models[0]["model"][:8] in printed and found[1]["snapshot"] in printed


def test_the_past_is_searched_with_the_encoder_of_the_past(shop: Shop) -> None:
    first, second = (line["snapshot"] for line in shop.lines("snapshots")[:2])
    now = shop.scores("--visual", "a red car", "--as-of", second)
    past = shop.scores("--visual", "a red car", "--as-of", first)
    assert past == first_answer(shop)
    assert {title for title, _, _ in now} == {"one-1991", "two-1992"}
    assert not {score for _, _, score in past} & {score for _, _, score in now}
    with shop.library() as library:
        hits = library.at(first).search(Query((Visual("a red car"),)))
        assert [(hit.title_id, hit.start_ms, hit.score) for hit in hits] == past
        assert {hit.snapshot for hit in hits} == {first}
        assert all(picture and picture.is_file() for picture in library.thumbnails(list(hits)))


def test_a_time_means_the_release_of_then_and_says_which(shop: Shop) -> None:
    lines = shop.lines("snapshots")
    then = datetime.fromtimestamp(lines[0]["at_ms"] / 1000)
    done = shop.run("search", "--visual", "a red car", "--as-of", then.isoformat(), "--json")
    assert {json.loads(line)["snapshot"] for line in done.stdout.splitlines()} == {lines[0]["snapshot"]}
    said = f"As of release 1 (publish, {then:%Y-%m-%d %H:%M:%S}), snapshot {lines[0]['snapshot']}."
    assert done.stderr.strip() == said
    for wanted, sentence in (
        ((then - timedelta(days=1)).isoformat(), "Nothing was published yet at "),
        ("last week", "'last week' is neither the id of a snapshot nor a time"),
        (f"{7:020d}-0123abcd", f"There is no snapshot '{7:020d}-0123abcd'"),
    ):
        refused = shop.run("search", "--visual", "a red car", "--as-of", wanted)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr.startswith(sentence) and len(refused.stderr.splitlines()) == 1


def test_diff_tells_titles_models_and_rows(shop: Shop) -> None:
    (found,) = shop.lines("diff", "1", "2")
    assert (found["added"], found["removed"], found["changed"]) == (["two-1992"], [], {"one-1991": ["visual"]})
    printed = shop.run("diff", "1", "2").stdout.splitlines()
    assert printed[0] == f"from {found['before']} to {found['after']}"
    assert printed[1:3] == ["added: 1 title: two-1992", "changed (visual): 1 title: one-1991"]
    assert re.fullmatch(rf"model of visual: {shop.models[0]} \w{{8}} -> {shop.models[1]} \w{{8}}", printed[3])
    assert re.fullmatch(r"generation of visual: \w{8} -> \w{8}", printed[4])
    assert "rows of titles: 1 -> 2" in printed
    same = shop.run("diff", "2", "2").stdout
    assert "The same titles, models, generations and rows.\nanswers: 0 of " in same
    refused = shop.run("diff", "99")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == "There is no release 99 in this library; 'mediaflow snapshots' lists them.\n"


def test_back_and_on_again(shop: Shop) -> None:
    newest = shop.lines("snapshots")[-1]
    assert shop.run("rollback").stderr.startswith("Say why")
    assert shop.run("resume").stderr == "Releases are not held: number 2 is current, and publishes go on.\n"
    done = shop.run("rollback", "--reason", "the new model\nfinds nothing")
    first = shop.lines("snapshots")[0]["snapshot"]
    sentence = (
        f"Releases are held at number 3, snapshot {first} (the new model / finds nothing): "
        "nothing new is published until 'mediaflow resume'."
    )
    assert (done.exit_code, done.stdout) == (0, f"{sentence}\n")
    assert shop.scores("--visual", "a red car") == first_answer(shop)
    status = shop.run("status").stdout
    assert f"\n{sentence}\n" in status
    release = json.loads(shop.run("status", "--json").stdout)["release"]
    assert (release["kind"], release["held"]) == ("rollback", True)
    assert release["reason"] == "the new model\nfinds nothing"
    with shop.library() as library:
        assert refresh(library).outcome == "held"
    assert shop.lines("diff")[0]["removed"] == ["two-1992"]
    again = shop.run("rollback", "--reason", "x")
    assert (again.exit_code, "there is nothing to go back to" in again.stderr) == (2, True)
    assert shop.run("resume").stdout.startswith(f"Release 4 goes on from snapshot {first}")
    assert not json.loads(shop.run("status", "--json").stdout)["release"]["held"]
    with shop.library() as library:
        assert refresh(library).outcome == "released"
    assert [line["kind"] for line in shop.lines("snapshots")] == ["publish", "publish", "rollback", "resume", "publish"]
    assert not shop.lines("diff", newest["snapshot"])[0]["changed"]


def test_before_the_first_release_all_of_them_say_so(tmp_path: Path) -> None:
    variables = {"MEDIAFLOW_HOME": str(tmp_path / "home"), "MEDIAFLOW_LIBRARY": str(tmp_path / "films")}
    (tmp_path / "mediaflow.toml").touch()
    shell = CliRunner(env={**variables, "MEDIAFLOW_CONFIG": str(tmp_path / "mediaflow.toml")})
    for words in (
        ["snapshots"],
        ["diff"],
        ["rollback", "--reason", "x"],
        ["resume"],
        ["search", "x", "--as-of", "2026-01-01"],
    ):
        done = shell.invoke(app, words)
        assert done.stderr.startswith("Nothing is published yet: run 'make refresh'"), words
        assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)
