"""`mediaflow evaluate`: a snapshot measured, beside another one, stored, and what is wrong in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mediaflow.cli.main import app
from mediaflow.snapshots.history import lines
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.publishing.gates.studio import Studio
from tests.publishing.world import STAGES

NAMES = ("alps", "bees", "cats", "dogs")
TALES = tuple(f"tale{number}" for number in range(3))


class Shop:
    """Four films that speak, in two releases: in the second one two of them have lost a line. And its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "mediaflow.toml").touch()
        self.store = FolderStore(folder / "store")
        studio = Studio(self.store, [stage for stage in STAGES if stage.name != "objects"])
        for name in NAMES:
            studio.film(name, lines=tuple(f"{name} tells {tale}" for tale in TALES))
        studio.compute()
        assert studio.publish().outcome == "released"
        for name in NAMES[:2]:
            studio.film(name, lines=tuple(f"{name} tells {tale}" for tale in TALES[1:]))
        studio.compute()
        assert studio.publish().outcome == "released"
        self.snapshots = [line["snapshot"] for line in lines(self.store)]
        self.golden = folder / "golden.toml"
        entry = '[[question]]\ndialogue = "{0} tale{1}"\ntitle = "{0}"\ntime = "{1}.5"\n'
        text = "".join(entry.format(name, number) for name in NAMES for number in range(len(TALES)))
        self.golden.write_text(f'tolerance = "2"\n{text}[[question]]\ndialogue = "dragon"\nanswers = []\n')

    def run(self, *words: str, golden: Path | None = None) -> Result:
        variables = {"MEDIAFLOW_HOME": str(self.folder), "MEDIAFLOW_CONFIG": str(self.folder / "mediaflow.toml")}
        if golden is not None:
            variables["MEDIAFLOW_GOLDEN"] = str(golden)
        return CliRunner(env=variables).invoke(app, ["evaluate", *words])

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def test_the_current_snapshot_is_measured(shop: Shop) -> None:
    done = shop.run(str(shop.golden))
    assert (done.exit_code, done.stderr) == (0, "")
    first, header, everything, clause, *rest = done.stdout.splitlines()
    assert first == f"snapshot {shop.snapshots[1]}: 13 questions of golden.toml"
    assert header.split() == ["group", "questions", "nDCG@10", "R@20", "RR"]
    assert everything.split() == ["all", "12", "0.833", "0.833", "0.833"]
    assert clause.split() == ["clause", "dialogue", "12", "0.833", "0.833", "0.833"]
    assert rest == [
        "nothing came for 1 of 1 question to which nothing is right",
        "0.00 alps tale0: alps at 00:00:00.500 did not come",
        "0.00 bees tale0: bees at 00:00:00.500 did not come",
    ]


def test_what_a_snapshot_has_not_is_said(shop: Shop, tmp_path: Path) -> None:
    right = 'title = "alpz"\ntime = "0"\n'
    (tmp_path / "typo.toml").write_text(f'[[question]]\ndialogue = "alps"\n{right}[[question]]\nvisual = "x"\n{right}')
    done = shop.run(str(tmp_path / "typo.toml"), "--as-of", shop.snapshots[0])
    assert done.exit_code == 0 and "\n0.00 x: cannot be asked\n" in done.stdout
    titles, visual = done.stderr.splitlines()
    assert titles.startswith("The snapshot has no title alpz, which answers name: ")
    assert visual.startswith("The published snapshot has nothing of 'visual'")
    for one in shop.store.list(layout.EVALUATIONS):
        if b"typo.toml" in shop.store.get(one.key):
            shop.store.delete(one.key)


def test_it_is_compared_with_another_one(shop: Shop) -> None:
    done = shop.run(str(shop.golden), "--against", "previous")
    assert done.exit_code == 0, done.output
    said = done.stdout[done.stdout.index("against") :].splitlines()
    assert said[0] == f"against snapshot {shop.snapshots[0]}:"
    assert said[1].split()[:4] == ["group", "questions", "measure", "before"]
    # Two of twelve fell by one: of all signs, half have both the same.
    assert said[2].split() == ["all", "12", "nDCG@10", "1.000", "0.833", "-0.167", "-0.414", "to", "+0.081", "0.5"]
    assert said[-1] == "fell: 'alps tale0' 1.00 -> 0.00; 'bees tale0' 1.00 -> 0.00"
    for other in ("1", shop.snapshots[0]):
        found = shop.json(str(shop.golden), "--against", other)
        assert found["snapshot"] == shop.snapshots[1] and found["against"]["snapshot"] == shop.snapshots[0]
        everything = found["against"]["changes"][0]
        assert (everything["before"], everything["after"]) == (1, pytest.approx(10 / 12))
        assert everything["paired"]["p"] == 0.5
        assert [one["question"] for one in found["against"]["fell"]] == ["alps tale0", "bees tale0"]
    back = shop.json(str(shop.golden), "--as-of", "1", "--against", "current")
    assert back["snapshot"] == shop.snapshots[0]
    assert [one["question"] for one in back["against"]["rose"]] == ["alps tale0", "bees tale0"]


def test_what_was_measured_is_listed_with_its_snapshot(shop: Shop) -> None:
    one = shop.json(str(shop.golden))
    two = shop.json(str(shop.golden), "--as-of", "1")
    listed = [json.loads(line) for line in shop.run("--stored", "--json").stdout.splitlines()]
    assert [line["snapshot"] for line in listed] == shop.snapshots
    assert [line | {"against": None} for line in listed] == [two, one]
    printed = shop.run("--stored").stdout.splitlines()
    assert printed[1].split()[:6] == [shop.snapshots[0], "golden.toml", "13", "1.000", "1.000", "1.000"]
    assert printed[2].split()[:6] == [shop.snapshots[1], "golden.toml", "13", "0.833", "0.833", "0.833"]


def test_the_questions_of_the_gate_are_those_without_a_file(shop: Shop) -> None:
    assert shop.run(golden=shop.golden).stdout == shop.run(str(shop.golden)).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Name a file of questions with their answers, here or in the setting 'golden'."),
        (["nowhere.toml"], "The questions in nowhere.toml cannot be read (No such file or directory)"),
        (["{golden}", "--against", "9"], "There is no release 9"),
        (["{golden}", "--as-of", "yesterday"], "'yesterday' is neither the id of a snapshot nor a time"),
        (["{golden}", "--stored"], "--stored lists all that was measured: give it alone."),
    ],
)
def test_what_is_wrong_is_one_sentence(shop: Shop, words: list[str], said: str) -> None:
    done = shop.run(*(word.format(golden=shop.golden) for word in words))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(said) and len(done.stderr.splitlines()) == 1


def test_before_anything_was_measured_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "mediaflow.toml").touch()
    variables = {"MEDIAFLOW_HOME": str(tmp_path), "MEDIAFLOW_CONFIG": str(tmp_path / "mediaflow.toml")}
    done = CliRunner(env=variables).invoke(app, ["evaluate", "--stored"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith("Nothing was measured yet: 'mediaflow evaluate FILE' does")
