"""The commands about the library: what they print, as a table and as JSON, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

import mediaflow
from mediaflow.cli.main import app
from mediaflow.cli.output import duration
from mediaflow.demo.library import make_film
from mediaflow.library import Library
from tests.refreshing import refresh


class Shell:
    """Runs commands on one library."""

    def __init__(self, folder: Path) -> None:
        self.films, self._home = folder / "films", folder / "home"
        (folder / "mediaflow.toml").touch()
        self._variables = {
            "MEDIAFLOW_HOME": str(self._home),
            "MEDIAFLOW_LIBRARY": str(self.films),
            "MEDIAFLOW_VISUAL_MODEL": "none",
            "MEDIAFLOW_SETTLE_S": "0",
            "MEDIAFLOW_CONFIG": str(folder / "mediaflow.toml"),
        }

    def library(self) -> Library:
        return mediaflow.open(home=self._home, library=self.films, settle_s=0, visual_model="none")

    def run(self, *words: str) -> Result:
        return CliRunner(env=self._variables).invoke(app, list(words))

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def lines(self, *words: str) -> list[dict[str, Any]]:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A published library of two films and one file that is none."""
    folder = tmp_path_factory.mktemp("shell")
    shell = Shell(folder)
    for seed, name in ((1, "One (1991)"), (2, "Two (1992)")):
        make_film(shell.films / f"{name}.mp4", seed=seed, shots=2, size=(96, 64), shot_seconds=1.0, fps=12)
    (shell.films / "broken.mp4").write_bytes(b"no film")
    (shell.films / "notes.txt").write_text("not media")
    with shell.library() as library:
        refresh(library)
    return shell


def test_status_counts_titles_and_says_what_is_wrong(shell: Shell) -> None:
    found = shell.json("status")
    assert [found[name] for name in ("titles", "fresh", "stale", "failed", "quarantined")] == [3, 2, 0, 0, 1]
    assert found["release"]["titles"] == 2
    assert found["algorithms"]["dialogue"] | {"owner": ""} == {
        "owner": "",
        "covered": 2,
        "of": 3,
        "without": 1,
        "served": True,
        "current": True,
        "pending": [],
        "kept": None,
        "seconds_left": None,
    }
    printed = shell.run("status").stdout
    assert "3 titles: 2 fresh, 1 quarantined" in printed
    assert "quarantined: broken (media): 'broken.mp4' cannot be read as media" in printed
    assert "stopped: visual: " in printed
    assert "ignored: " in printed


_SHADES = """
import polars as pl

from mediaflow.algorithms.contract import Algorithm, Parameters, Shape


class Shade(Parameters):
    shade: str = "light"


class Shades(Algorithm):
    name = "shades"
    version = "1"
    owner = "team:shelves"
    inputs = ("catalogue",)
    shape = Shape.LABEL
    Parameters = Shade

    def run(self, batch):
        label = batch.parameters.shade
        for title in batch:
            if label == "dark" and title.title_id == "two-1992":
                raise ValueError("too dark")
            rows = {"start_ms": [0], "end_ms": [1000], "label": [label], "confidence": [1.0]}
            yield pl.DataFrame(rows, schema_overrides={"confidence": pl.Float32})
"""


def test_status_says_how_far_the_next_generation_is_and_what_is_served_meanwhile(tmp_path: Path) -> None:
    shell, file = Shell(tmp_path), tmp_path / "algorithms" / "shades.py"
    file.parent.mkdir()
    file.write_text(_SHADES)
    for name in ("One (1991)", "Two (1992)", "Three (1993)"):
        make_film(shell.films / f"{name}.mp4", seed=1, shots=1, size=(96, 64), shot_seconds=0.5, fps=12)
    third = (shell.films / "Three (1993).mp4").rename(tmp_path / "three.mp4")

    def library(**said: str) -> Library:
        return mediaflow.open(
            home=tmp_path / "home",
            library=shell.films,
            settle_s=0,
            visual_model="none",
            algorithm_folders=[file.parent],
            algorithms={"shades": said},
        )

    with library() as opened:
        refresh(opened)
        assert opened.status()["algorithms"]["shades"]["current"]
    third.rename(shell.films / "Three (1993).mp4")
    with library(shade="dark") as opened:
        assert refresh(opened).added == ("three-1993",)
        said = opened.status()["algorithms"]["shades"]
        assert (said["covered"], said["of"], said["served"], said["current"]) == (2, 3, True, False)
        assert (said["kept"], said["pending"]) == (True, [])
        assert 0 <= said["seconds_left"] < 60
        made = opened.current().manifest.algorithms["shades"]
        labels = opened.current().table(made.table).to_table()["label"].to_pylist()
        assert labels == ["light"] * 3, "the third one, too, by the parameters of then"
    (tmp_path / "mediaflow.toml").write_text(
        f'algorithm_folders = ["{file.parent}"]\n[algorithms.shades]\nshade = "dark"\n'
    )
    printed = shell.run("status").stdout
    assert "shades: 2 of 3 titles, about 1 s left, an earlier generation is served and kept up to date" in printed
    file.write_text(_SHADES.replace('version = "1"', 'version = "2"'))
    (shell.films / "Two (1992).mp4").write_bytes((shell.films / "One (1991).mp4").read_bytes() + b"\0")
    (shell.films / "Two (1992).nfo").write_text("<movie><title>Two too</title></movie>")
    with library(shade="dark") as opened:
        refresh(opened)
        said = opened.status()["algorithms"]["shades"]
        assert (said["kept"], said["pending"]) == (False, ["two-1992"])
    printed = shell.run("status").stdout
    assert "an earlier generation is served and not kept up to date" in printed
    assert "shades: 1 title published without it: two-1992" in printed


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "1 s"), (89.4, "89 s"), (90.0, "2 min"), (5_000.0, "83 min"), (10_800.0, "3 h")]
)
def test_times_that_nobody_knows_exactly(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_plan_says_what_is_not_fresh_and_why(shell: Shell) -> None:
    by_stage = {(line["title_id"], line["stage"]): line for line in shell.lines("plan")}
    assert by_stage["broken", "media"]["state"] == "quarantined"
    assert by_stage["broken", "dialogue"] | {"revision": ""} == {
        "title_id": "broken",
        "stage": "dialogue",
        "state": "blocked",
        "reason": "waits for media",
        "attempts": 0,
        "revision": "",
    }
    assert not [line for line in by_stage.values() if line["state"] == "stale"]
    assert "waits for media" in shell.run("plan").stdout


_GENRES = """
import polars as pl

from mediaflow.algorithms.contract import Algorithm, Shape


class Genres(Algorithm):
    name = "genres"
    version = "1"
    owner = "team:shelves"
    inputs = ("catalogue",)
    shape = Shape.LABEL

    def run(self, batch):
        rows = {"start_ms": [0], "end_ms": [1000], "label": ["drama"], "confidence": [1.0]}
        return [pl.DataFrame(rows, schema_overrides={"confidence": pl.Float32}) for _ in batch]
"""


def test_plan_warns_of_an_algorithm_that_changed_without_a_new_version(tmp_path: Path) -> None:
    shell, file = Shell(tmp_path), tmp_path / "algorithms" / "genres.py"
    file.parent.mkdir()
    (tmp_path / "mediaflow.toml").write_text(f"algorithm_folders = [{str(file.parent)!r}]\n")
    shell.films.mkdir()
    (shell.films / "new.mp4").write_bytes(b"whatever")

    def warnings(text: str) -> list[dict[str, Any]]:
        file.write_text(text)
        return [line for line in shell.lines("plan") if "warning" in line]

    other = _GENRES.replace("drama", "comedy")
    assert warnings(_GENRES) == warnings(other) == [], "nothing was computed with it"
    file.write_text(_GENRES)
    with mediaflow.open(
        home=tmp_path / "home", library=shell.films, settle_s=0, visual_model="none", algorithm_folders=[file.parent]
    ) as library:
        refresh(library)
    assert warnings(_GENRES) == []
    (told,) = warnings(other)
    assert (told["algorithm"], told["version"], told["functions"]) == ("genres", "1", ["Genres.run"])
    assert f"warning: {told['warning']}\n" in shell.run("plan").stdout
    assert warnings(other.replace('version = "1"', 'version = "2"')) == []


def test_titles_are_one_a_line(shell: Shell) -> None:
    found = {line["title_id"]: line for line in shell.lines("titles")}
    assert {title_id: line["state"] for title_id, line in found.items()} == {
        "broken": "quarantined",
        "one-1991": "fresh",
        "two-1992": "fresh",
    }
    assert found["one-1991"]["path"] == "One (1991).mp4"
    assert "two-1992" in shell.run("titles").stdout


def test_a_film_that_moves_is_shown_at_its_new_place_and_nothing_is_to_be_done(shell: Shell) -> None:
    planned, release = shell.lines("plan"), shell.json("status")["release"]
    for source, target in ((".", "moved"), ("moved", ".")):
        (shell.films / target).mkdir(exist_ok=True)
        for file in list((shell.films / source).glob("One (1991)*")):
            file.rename(shell.films / target / file.name)
        assert shell.json("scan")["moved"] == ["one-1991"]
        path = str(Path(target) / "One (1991).mp4")
        assert {line["path"] for line in shell.lines("titles") if line["title_id"] == "one-1991"} == {path}
        assert shell.json("show", "one-1991")["path"] == path
        assert shell.lines("plan") == planned
        with shell.library() as library:
            assert not library.publish_due(library.plan())
    assert shell.json("status")["release"] == release


def test_show_gives_shots_and_cues_as_published(shell: Shell) -> None:
    found = shell.json("show", "one-1991")
    assert found["published"]
    assert set(found["shots"][0]) == {"start_frame", "end_frame", "start_ms", "end_ms"}
    assert found["shots"][0]["start_ms"] == 0
    assert found["cues"] and found["cues"][0]["language"] == "en"
    assert found["cues"][0]["text"] in shell.run("show", "one-1991").stdout
    assert not shell.json("show", "broken")["published"]


def test_an_unknown_title_is_one_sentence(shell: Shell) -> None:
    done = shell.run("show", "nobody")
    assert done.exit_code == 2
    assert done.stderr.strip() == "There is no title 'nobody': 'mediaflow titles' lists them."


def test_a_wrong_setting_is_one_sentence(shell: Shell, tmp_path: Path) -> None:
    settings = tmp_path / "mediaflow.toml"
    settings.write_text("libary = 'films'\n")
    done = CliRunner(env={"MEDIAFLOW_CONFIG": str(settings)}).invoke(app, ["status"])
    assert done.exit_code == 2
    assert done.stderr.startswith("There is no setting 'libary'")
    assert len(done.stderr.splitlines()) == 1


def test_a_settings_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = CliRunner(env={"MEDIAFLOW_CONFIG": str(tmp_path / "typo.toml")}).invoke(app, ["status"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "typo.toml' is no settings file; the variable MEDIAFLOW_CONFIG names it" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_titles_there_is_a_hint(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.films.mkdir()
    for command in ("titles", "plan", "status"):
        done = shell.run(command)
        assert done.exit_code == 0
        assert done.stderr == f"There are no titles of {shell.films} yet: run 'make refresh' or 'make up'.\n"
    shell.films.rmdir()
    for command in ("titles", "plan"):
        done = shell.run(command)
        assert done.exit_code == 0
        assert done.stderr == (
            f"The library {shell.films} is not a folder: check that the setting `library` is right.\n"
        )
    nowhere = CliRunner(env={"MEDIAFLOW_CONFIG": str(tmp_path / "mediaflow.toml"), "MEDIAFLOW_HOME": str(tmp_path)})
    assert nowhere.invoke(app, ["titles"]).stderr.startswith("No library is set: ")


def test_a_library_that_is_away_fails_a_scan(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for options in ([], ["--json"]):
        done = shell.run("scan", *options)
        assert done.exit_code == 1
        assert f"the library folder {shell.films} cannot be read" in done.stdout


def test_a_workspace_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").write_text("a file")
    done = Shell(tmp_path).run("status")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"The cache {tmp_path / 'home' / 'cache'} could not be made")


def test_scan_says_what_changed_and_computes_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.films.mkdir()
    (shell.films / "new.mp4").write_bytes(b"whatever")
    assert shell.json("scan")["added"] == ["new"]
    assert shell.run("scan").stdout == "1 title\n"
    assert shell.json("status")["stale"] == 1


def test_retry_gives_a_quarantined_title_a_new_start(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.films.mkdir()
    (shell.films / "bad.mp4").write_bytes(b"no film")
    with shell.library() as library:
        refresh(library)
    assert shell.json("status")["quarantined"] == 1
    assert "1 artifact will be tried again" in shell.run("retry", "bad").stdout
    assert shell.json("status")["stale"] == 1
    assert "1 artifact will be tried again" in shell.run("retry", "visual").stdout
    for what in ("bad", "visual", "--all"):
        assert shell.run("retry", what).stderr.startswith("There is nothing to try again")
    assert shell.run("retry").exit_code == 2
    assert shell.run("retry", "visuel").stderr.startswith("There is no title and no algorithm 'visuel'")


def test_search_finds_a_line_and_shows_its_time(shell: Shell) -> None:
    cue = shell.json("show", "two-1992")["cues"][0]
    words = cue["text"].split()[-3:]
    found = shell.lines("search", "--dialogue", " ".join(words), "--title", "two-1992")
    assert found[0]["title_id"] == "two-1992"
    assert found[0]["start_ms"] == cue["start_ms"]
    assert found[0]["snapshot"] == shell.json("status")["release"]["snapshot"]
    assert "00:00:0" in shell.run("search", "--dialogue", " ".join(words)).stdout


def test_why_compares_what_there_is_with_what_should_be(shell: Shell) -> None:
    subtitles = shell.films / "Two (1992).en.srt"
    before = subtitles.read_bytes() if subtitles.exists() else None
    subtitles.write_text("1\n00:00:00,100 --> 00:00:00,900\nOther words.\n")
    shell.run("scan")
    try:
        found = shell.json("why", "two-1992", "dialogue")
        printed = shell.run("why", "Two").stdout
    finally:
        subtitles.unlink() if before is None else subtitles.write_bytes(before)
        shell.run("scan")
    assert [(link["stage"], link["reason"], link["root"]) for link in found["chain"]] == [
        ("dialogue", "input:subtitles", False),
        ("subtitles", "subtitles", True),
    ]
    of = {one["field"]: one for one in found["chain"][1]["fields"]}
    assert of["bytes"]["differs"] and not of["code version"]["differs"]
    assert f"  bytes{' ' * 28}{of['bytes']['has']} -> {of['bytes']['should']}\n" in printed
    assert f"root: subtitles: bytes {of['bytes']['has']} -> {of['bytes']['should']}\n" in printed


def test_why_of_what_is_fresh_or_given_up_or_unknown_is_said(shell: Shell) -> None:
    assert "root: media: 'broken.mp4' cannot be read as media" in shell.run("why", "broken", "dialogue").stdout
    fresh = shell.json("why", "one-1991", "frames")
    assert fresh["fresh"] and not any(one["differs"] for one in fresh["chain"][0]["fields"])
    assert "root:" not in shell.run("why", "one-1991", "frames").stdout
    assert shell.run("why", "nobody").stderr == "There is no title 'nobody': 'mediaflow titles' lists them.\n"
    unknown = shell.run("why", "one-1991", "sound")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("There is no artifact 'sound': a title has media, subtitles, ")
