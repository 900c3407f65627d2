"""Settings: defaults, the file over them, the environment over the file, and a sentence for everything wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mediaflow.errors import UsageError
from mediaflow.settings import Settings, load

_LOAD = "from mediaflow.settings import load; settings = load(); print(*(repr(getattr(settings, one)) for one in {!r}))"


def loaded(folder: Path, *names: str, file: str = "", **environment: str) -> list[str]:
    """Load the settings in a process that works in `folder`; return how some of them look."""
    done = _run(folder, _LOAD.format(names), file, environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def refused(folder: Path, file: str = "", **environment: str) -> str:
    """Load settings that are wrong; return the sentence."""
    code = "from mediaflow.errors import UsageError\nfrom mediaflow.settings import load\n"
    done = _run(folder, f"{code}try:\n    load()\nexcept UsageError as error:\n    print(error)", file, environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _run(folder: Path, code: str, file: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    if file:
        (folder / "mediaflow.toml").write_text(file)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIAFLOW_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(Path(__file__).parent.parent), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert loaded(tmp_path, "library", "settle_s", "loss_limit", "batch_titles") == ["None", "5.0", "0.2", "50"]


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = "settle_s = 2\nbatch_titles = 7\nretry_delays_s = [1, 2, 3]\n[algorithms.loud]\nabove = 0.5\n"
    names = ("settle_s", "batch_titles", "loss_limit", "algorithms", "retry_delays_s")
    seen = loaded(tmp_path, *names, file=file, MEDIAFLOW_BATCH_TITLES="9", MEDIAFLOW_RETRY_DELAYS_S="[4]")
    assert seen == ["2.0", "9", "0.2", "{'loud':", "{'above':", "0.5}}", "[4.0]"]


def test_the_file_can_stand_elsewhere(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("settle_s = 3")
    assert loaded(tmp_path, "settle_s", file="settle_s = 2", MEDIAFLOW_CONFIG=str(other)) == ["3.0"]


def test_what_a_program_says_wins_over_all() -> None:
    assert load(home=Path("here"), batch_titles=3).batch_titles == 3
    with pytest.raises(UsageError, match=r"'batch_titles' in the call is wrong: Input should be greater than or eq"):
        load(batch_titles=0)
    with pytest.raises(UsageError, match=r"no setting 'libary' \(in the call\); there are"):
        load(libary="films")


@pytest.mark.parametrize(
    ("file", "variable"),
    [('algorithm_folders = ["one", "two/three"]', {}), ("", {"MEDIAFLOW_ALGORITHM_FOLDERS": "one:two/three:"})],
    ids=["file", "variable"],
)
def test_folders_are_a_list_or_parted_by_colons(tmp_path: Path, file: str, variable: dict[str, str]) -> None:
    seen = loaded(tmp_path, "algorithm_folders", file=file, **variable)
    assert seen == ["[PosixPath('one'),", "PosixPath('two/three')]"]


@pytest.mark.parametrize(
    ("file", "variable"),
    [('built_in = ["dialogue", "palette"]', {}), ("", {"MEDIAFLOW_BUILT_IN": "dialogue, palette,"})],
    ids=["file", "variable"],
)
def test_built_in_algorithms_are_a_list_or_parted_by_commas(
    tmp_path: Path, file: str, variable: dict[str, str]
) -> None:
    assert loaded(tmp_path, "built_in", file=file, **variable) == ["['dialogue',", "'palette']"]


@pytest.mark.parametrize(
    ("file", "variable", "said"),
    [
        ("libary = 'films'", {}, "There is no setting 'libary' (in mediaflow.toml); there are: algorithm_folders,"),
        ("", {"MEDIAFLOW_LIBARY": "x"}, "There is no setting 'libary' (in the variable MEDIAFLOW_LIBARY); there are: "),
        ("library = ''", {}, "The setting 'library' in mediaflow.toml is wrong: It names no folder."),
        ("settle_s = 'long'", {}, "The setting 'settle_s' in mediaflow.toml is wrong: Input should be a valid number"),
        ("", {"MEDIAFLOW_SETTLE_S": "-1"}, "The setting 'settle_s' in the variable MEDIAFLOW_SETTLE_S is wrong: "),
        ("", {"MEDIAFLOW_ALGORITHMS": "{"}, "The setting 'algorithms' in the variable MEDIAFLOW_ALGORITHMS is wrong: "),
        ("", {"MEDIAFLOW_RETRY_DELAYS_S": "5,60"}, "in the variable MEDIAFLOW_RETRY_DELAYS_S is wrong: "),
        ("retry_delays_s = [-1]", {}, "The setting 'retry_delays_s.0' in mediaflow.toml is wrong: "),
        ("settle_s = = 2", {}, "mediaflow.toml is no valid TOML: "),
    ],
)
def test_what_is_wrong_is_a_sentence_that_says_where(
    tmp_path: Path, file: str, variable: dict[str, str], said: str
) -> None:
    sentence = refused(tmp_path, file, **variable)
    assert said in sentence
    assert len(sentence.splitlines()) == 1


def test_a_file_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mediaflow.toml").write_bytes(b"\xff\xfe")
    assert "mediaflow.toml is no valid TOML" in refused(tmp_path)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ({"MEDIAFLOW_CONFIG": "none.toml"}, "At 'none.toml' is no settings file; the variable MEDIAFLOW_CONFIG names"),
        ({"MEDIAFLOW_CONFIG": "folder"}, "At 'folder' is a folder and no settings file; the variable MEDIAFLOW_CONFIG"),
        ({}, "At 'mediaflow.toml' is a folder and no settings file; remove it."),
    ],
)
def test_a_place_without_a_file_is_a_sentence(tmp_path: Path, variable: dict[str, str], said: str) -> None:
    for name in ("folder", "mediaflow.toml"):
        (tmp_path / name).mkdir()
    sentence = refused(tmp_path, **variable)
    assert said in sentence
    assert len(sentence.splitlines()) == 1


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    empty = {"MEDIAFLOW_CONFIG": "", "MEDIAFLOW_LIBRARY": "", "MEDIAFLOW_SETTLE_S": ""}
    assert loaded(tmp_path, "settle_s", "library", file="settle_s = 2", **empty) == ["2.0", "None"]


@pytest.mark.parametrize("home", ["films", "films/work", "sub/../films/work"])
def test_a_workspace_in_the_library_is_refused(tmp_path: Path, home: str) -> None:
    (tmp_path / "films").mkdir()
    sentence = refused(tmp_path, file=f"library = 'films'\nhome = '{home}'")
    assert sentence.endswith("set 'home' to a folder elsewhere, or to a hidden one such as .mediaflow.")


def test_a_workspace_in_a_hidden_folder_of_the_library_is_not_looked_at(tmp_path: Path) -> None:
    assert loaded(tmp_path, "library", "home", file="library = '.'") == ["PosixPath('.')", "PosixPath('.mediaflow')"]


def test_a_library_in_the_workspace_is_none_of_its_business(tmp_path: Path) -> None:
    assert loaded(tmp_path, "library", file="library = 'work/films'\nhome = 'work'") == ["PosixPath('work/films')"]


def test_a_tilde_is_the_users_home_folder(tmp_path: Path) -> None:
    seen = loaded(tmp_path, "home", "library", file="library = '~/films'", HOME="/people/ann", MEDIAFLOW_HOME="~/work")
    assert seen == ["PosixPath('/people/ann/work')", "PosixPath('/people/ann/films')"]


def test_every_setting_says_what_it_is_for() -> None:
    assert not [name for name, one in Settings.model_fields.items() if not (one.description or "").endswith(".")]
