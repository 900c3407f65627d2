"""Models on the command line: taken in, chosen, listed, retired; a library that switches, and goes back."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

import mediaflow
from mediaflow.cli.main import app
from mediaflow.demo.library import make_film
from mediaflow.library import Library
from mediaflow.planning.ledger import DONE
from tests.models.conftest import MakeModel, make_model
from tests.refreshing import compute, refresh

__all__ = ["make_model"]


class Shop:
    """A library of one film, two models, and the commands."""

    def __init__(self, folder: Path, make: MakeModel) -> None:
        self.folder, self.make = folder, make
        self.one, self.two = make(folder / "one", seed=1), make(folder / "two", seed=2)
        make_film(folder / "films" / "One (1991).mp4", seed=1, shots=2, size=(96, 64), shot_seconds=1.0, fps=12)
        (folder / "mediaflow.toml").touch()

    def library(self) -> Library:
        home, films = self.folder / "home", self.folder / "films"
        return mediaflow.open(home=home, library=films, settle_s=0, visual_model=str(self.one), decode_workers=1)

    def refresh(self) -> tuple[str, int]:
        """Bring all up to date; return what came of the publish, and how many artifacts were computed."""
        with self.library() as library:
            before = self.computed(library)
            return refresh(library).outcome, self.computed(library) - before

    def computed(self, library: Library) -> int:
        return sum(
            state == DONE and title != "" for title, state in library.ledger.facts()["title_id", "state"].iter_rows()
        )

    def run(self, *words: str) -> Result:
        variables = {
            "MEDIAFLOW_HOME": str(self.folder / "home"),
            "MEDIAFLOW_LIBRARY": str(self.folder / "films"),
            "MEDIAFLOW_VISUAL_MODEL": str(self.one),
            "MEDIAFLOW_CONFIG": str(self.folder / "mediaflow.toml"),
        }
        return CliRunner(env=variables).invoke(app, ["models", *words])

    def lines(self, *words: str) -> list[dict[str, Any]]:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    def refused(self, *words: str) -> str:
        done = self.run(*words)
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        return done.stderr.splitlines()[-1]


@pytest.fixture
def shop(tmp_path: Path, make_model: MakeModel) -> Shop:
    return Shop(tmp_path, make_model)


def test_another_model_and_back(shop: Shop) -> None:
    assert shop.refresh()[0] == "released"
    (first,) = shop.lines("list")
    assert [use["by"] for use in first["used_by"]] == ["setting"]
    added = shop.run("add", "night", str(shop.two), "--algorithm", "visual")
    assert (added.exit_code, added.stderr.splitlines()) == (
        0,
        ["reading the model", "loading the model", "copying the model"],
    )
    assert re.fullmatch(r"night is in the store: an architecture of its own, 24 dimensions, \w{8}\. .*\n", added.stdout)
    assert shop.refresh() == ("nothing new", 0), "nothing uses it yet"
    assert shop.run("use", "night").stdout.startswith(
        "visual uses night from now on (an architecture of its own, 24 di"
    )
    assert shop.refresh() == ("released", 1), "the vectors of one film, and no decoding"
    old, new = shop.lines("list")
    assert (old["used_by"], old["serves"], old["identity"]) == ([], [], first["identity"])
    assert [(use["algorithm"], use["by"]) for use in new["used_by"]] == [("visual", "choice")]
    with shop.library() as library:
        manifest = library.current().manifest
        assert manifest.encoders == {new["identity"]: "night"}
        assert new["serves"] == [{"algorithm": "visual", "generation": manifest.generations["visual"]}]
    printed = shop.run("list").stdout
    assert re.search(
        rf"^night +visual +own +24 +{new['identity'][:8]} .* used by visual +visual \w{{8}} ", printed, re.M
    )
    assert re.search(rf"^visual uses night \({new['identity'][:8]}\), chosen 20\d\d-", printed, re.M)
    (said,) = shop.lines("use", "--default")
    assert said == {"algorithm": "visual", "by": "setting", "name": str(shop.one), "identity": old["identity"]}
    assert shop.refresh() == ("released", 0), "it was all there"


def test_a_name_whose_weights_were_replaced_follows_them_and_goes_on_without_its_folder(shop: Shop) -> None:
    shop.run("add", "night", str(shop.two))
    shop.run("use", "night")
    shop.refresh()
    shop.make(shop.two, seed=3)
    with shop.library() as library:
        assert list(library.plan().stopped) == ["visual"], "it is not known yet"
    assert shop.refresh() == ("released", 1)
    before, after = shop.lines("list")[:2]
    assert (before["replaced"], after["replaced"]) == (True, False)
    shutil.rmtree(shop.two)
    assert shop.refresh() == ("nothing new", 0)
    assert shop.run("use", before["identity"][:8]).exit_code == 0
    assert shop.refresh() == ("released", 0)
    shown = shop.run("show", before["identity"]).stdout.splitlines()
    assert shown[0] == "night"
    assert {"state: used by visual, replaced", "weights: in the store"} <= set(shown)
    assert (
        "preprocessing: mean (0.4, 0.5, 0.6), std (0.2, 0.25, 0.3), interpolation bicubic, resize_mode shortest"
        in shown
    )
    assert f"other of this name: {after['identity']}" in shown


def test_what_is_served_or_in_use_is_not_retired(shop: Shop) -> None:
    shop.refresh()
    shop.run("add", "day", str(shop.one))
    shop.run("add", "night", str(shop.two))
    assert "is what visual uses (as the setting says" in shop.refused("retire", "day")
    shop.run("use", "night")
    assert "is served: visual answers with it until another one covers" in shop.refused("retire", "day")
    assert "is what visual uses (chosen)" in shop.refused("retire", "night")
    shop.refresh()
    (said,) = shop.lines("retire", "day")
    assert said == {"retired": [shop.lines("show", "day")[0]["identity"]]}
    assert shop.refused("use", "--default").startswith(f"The model '{shop.one}' ")
    assert "is retired" in shop.refused("use", "day")
    shop.run("add", "day", str(shop.one))
    assert shop.run("use", "--default").exit_code == 0


def test_a_chosen_model_that_cannot_be_had_says_where_it_was_chosen(shop: Shop) -> None:
    shop.run("add", "night", str(shop.two))
    shop.run("use", "night")
    (shop.two / "open_clip_model.safetensors").write_bytes(b"?" * 100)
    with shop.library() as library:
        compute(library)
        sentence = library.plan().stopped["visual"]
        assert "cannot be loaded" in sentence and "'mediaflow models use'" in sentence
        assert library.model_attempts("visual")[0] == 1
    assert "visual uses night, chosen " in shop.run("list").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("use",), "Say which model: its name or identity, or --default"),
        (("use", "night", "--default"), "Say which model: its name or identity, or --default"),
        (("use", "night"), "There is no model 'night' in the store: 'mediaflow models list' shows"),
        (("show", "night"), "There is no model 'night' in the store"),
        (("retire", "night"), "There is no model 'night' in the store"),
        (("use", "--default", "--algorithm", "dialogue"), "There is no algorithm 'dialogue' that has a model"),
        (("add", "a b", "demo"), "'a b' cannot be a model's name"),
    ],
)
def test_what_is_asked_wrongly_is_one_sentence(words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mediaflow.toml").touch()
    shell = CliRunner(
        env={"MEDIAFLOW_HOME": str(tmp_path / "home"), "MEDIAFLOW_CONFIG": str(tmp_path / "mediaflow.toml")}
    )
    done = shell.invoke(app, ["models", *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence) and len(done.stderr.splitlines()) == 1


def test_a_source_that_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "mediaflow.toml").touch()
    (tmp_path / "night").mkdir()
    shell = CliRunner(
        env={"MEDIAFLOW_HOME": str(tmp_path / "home"), "MEDIAFLOW_CONFIG": str(tmp_path / "mediaflow.toml")}
    )
    done = shell.invoke(app, ["models", "add", "night", str(tmp_path / "night")])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "there is no readable open_clip_config.json" in done.stderr and len(done.stderr.splitlines()) == 1
    listed = shell.invoke(app, ["models", "list"])
    assert listed.exit_code == 0 and "not in the store yet" in listed.stdout
