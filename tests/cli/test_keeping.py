"""`gc`, `verify` and `erase` on the command line: what they say, what they ask, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import mediaflow
from mediaflow.cli.main import app
from mediaflow.demo.library import make_film
from mediaflow.library import Library
from mediaflow.publishing.epochs import Epochs
from mediaflow.snapshots.history import lines
from mediaflow.storage import layout
from tests.refreshing import refresh


class Shop:
    """A library of two films, published one after the other, and its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.films = folder, folder / "films"
        (folder / "mediaflow.toml").touch()
        for seed, name in ((1, "One (1991)"), (2, "Two (1992)")):
            make_film(self.films / f"{name}.mp4", seed=seed, shots=2, size=(96, 64), shot_seconds=1.0, fps=12)
            with self.library() as library:
                refresh(library)

    def library(self) -> Library:
        return mediaflow.open(home=self.folder / "home", library=self.films, settle_s=0, visual_model="/none")

    def run(self, *words: str, keep: int = 0, answer: str = "") -> Result:
        variables = {
            "MEDIAFLOW_HOME": str(self.folder / "home"),
            "MEDIAFLOW_LIBRARY": str(self.films),
            "MEDIAFLOW_VISUAL_MODEL": "/none",
            "MEDIAFLOW_KEEP_SNAPSHOTS": str(keep),
            "MEDIAFLOW_CONFIG": str(self.folder / "mediaflow.toml"),
        }
        return CliRunner(env=variables).invoke(app, list(words), input=answer)

    def snapshots(self) -> list[str]:
        with self.library() as library:
            return [info.key for info in library.store.list(layout.SNAPSHOTS)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def test_verify_reads_all_and_ends_with_zero(shop: Shop) -> None:
    done = shop.run("verify")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("2 of 2 snapshots whole: read ")
    with shop.library() as library:
        second = lines(library.store)[-1]["snapshot"]
    said = json.loads(shop.run("verify", second, "--json").stdout)
    assert said["whole"] and said["snapshots"] == {second: []} and said["rows"] > 0
    done = shop.run("verify", "nothing")
    assert done.exit_code == 2 and "There is no snapshot 'nothing'" in done.stderr


def test_gc_says_what_would_go_and_then_frees_that(shop: Shop) -> None:
    assert "snapshot" not in shop.run("gc", "--dry-run", keep=1).stdout.split("\n")[1]
    said = shop.run("gc", "--dry-run").stdout.splitlines()
    (first, second) = shop.snapshots()
    assert (
        said[0].startswith("would be freed: ") and said[1] == f"snapshot: {first.split('/')[1].removesuffix('.json')}"
    )
    assert shop.snapshots() == [first, second]
    told = json.loads(shop.run("gc", "--dry-run", "--json").stdout)
    done = json.loads(shop.run("gc", "--json").stdout)
    assert told | {"dry_run": False} == done
    assert done["bytes"] > 0 and done["outcome"] == "collected"
    assert shop.snapshots() == [second]
    # The fence is no release: its number is left out.
    assert [json.loads(line)["number"] for line in shop.run("snapshots", "--json").stdout.splitlines()] == [1, 2]
    assert json.loads(shop.run("status", "--json").stdout)["release"]["number"] == 2
    assert shop.run("verify").exit_code == 0


def test_gc_ends_with_one_while_a_publish_is_at_work(shop: Shop) -> None:
    with shop.library() as library:
        epochs = Epochs(library.store)
        epoch = epochs.begin()
        done = shop.run("gc")
        epochs.end(epoch, "nothing new")
    assert done.exit_code == 1
    assert "A publish or another collector is at work" in done.stderr


def test_what_is_damaged_is_listed_and_ends_with_one(shop: Shop) -> None:
    with shop.library() as library:
        info = next(iter(library.store.list(f"{layout.ARTIFACTS}media/one-1991/")))
        data = library.store.get(info.key)
        library.store.delete(info.key)
        done = shop.run("verify")
        library.store.put(info.key, data)
    assert done.exit_code == 1
    assert "artifact" in done.stdout and "it is gone" in done.stdout and "0 of 1 snapshot whole" in done.stdout
    assert shop.run("verify").exit_code == 0


def test_erase_refuses_asks_and_erases(shop: Shop) -> None:
    done = shop.run("erase", "one-1991", "--yes")
    assert done.exit_code == 2 and "one-1991 is still in the library folder" in done.stderr
    for file in shop.films.glob("One*"):
        file.unlink()
    done = shop.run("erase", "one-1991", answer="n\n")
    assert done.exit_code == 1 and "Nothing was erased." in done.stderr
    (snapshot,) = shop.snapshots()
    assert f"snapshot that goes: {snapshot.split('/')[1].removesuffix('.json')}" in done.stdout
    done = shop.run("erase", "one-1991", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "erased: one-1991; freed: " in done.stdout
    assert snapshot not in shop.snapshots() and len(shop.snapshots()) == 1
    assert [json.loads(line)["title_id"] for line in shop.run("titles", "--json").stdout.splitlines()] == ["two-1992"]
    assert shop.run("verify").exit_code == 0
