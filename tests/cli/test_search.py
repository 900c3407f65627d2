"""`mediaflow search`: its table and JSON, its sentences, and that the docs name every option."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from mediaflow.cli.output import plain, sentences, timecode
from mediaflow.cli.search import answer, search
from mediaflow.errors import SystemFault, TitleError, UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import Dialogue, Filters, Query, Visual
from mediaflow.search.reading.thumbnails import write_thumbnails
from mediaflow.search.results import Hit, Results
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.search.world import World, cue, shot

app = typer.Typer()
app.command()(search)


class SmallLibrary:
    """What a library gives the command, over a snapshot made by hand."""

    def __init__(self, gateway: Gateway, cache: Path) -> None:
        self.gateway = gateway
        self.cache = cache

    def search(self, query: Query) -> Results:
        return self.gateway.search(query)

    def thumbnails(self, hits: Sequence[Hit]) -> list[Path | None]:
        return write_thumbnails(self.gateway.reader, hits, self.cache)


@pytest.fixture
def library(tmp_path: Path) -> SmallLibrary:
    world = World(FolderStore(tmp_path / "store"))
    world.title("harbour", {"Ann Lee": "Maria"}, title="The [red] Harbour\x1b[31m")
    world.dialogue(cue("harbour", 3_723_004, 3_724_000, "Hello [bold]out[/bold]\nthere \x1b[2J☃", speaker="MARIA"))
    world.visual(shot("harbour", 0, 5000, "red car"))
    picture = {"title_id": "harbour", "shot_no": 0, "time_ms": 2500, "width": 1, "height": 1, "jpeg": b"jpeg"}
    world.thumbnail(picture)
    return SmallLibrary(world.gateway(), tmp_path / "cache")


def table(library: SmallLibrary, query: Query) -> str:
    file = io.StringIO()
    answer(library, query, as_json=False, console=Console(file=file, highlight=False))
    return file.getvalue()


def test_a_spoken_hit_shows_time_title_score_algorithm_and_text(library: SmallLibrary) -> None:
    shown = table(library, Query((Dialogue("hello"),), Filters(characters=("maria",))))
    row = re.sub(r"\s+", " ", shown.splitlines()[1])
    assert row.startswith("01:02:03.004 The [red] Harbour [31m 0.0")
    assert "dialogue speaks MARIA: Hello [bold]out[/bold] / there [2J☃" in row


def test_a_seen_hit_shows_the_path_of_its_picture(library: SmallLibrary) -> None:
    shown = table(library, Query((Visual("red"),)))
    path = library.cache / "harbour-2500.jpg"
    assert path.read_bytes() == b"jpeg"
    assert str(path) in re.sub(r"\s+", "", shown)


def test_nothing_found_is_a_sentence_and_no_error(library: SmallLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    answer(library, Query((Dialogue("dragon"),)), as_json=False)
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err == "Nothing was found: one cue must have all words of --dialogue, so try fewer, or fewer filters.\n"
    answer(library, Query((Visual("red"),), Filters(years=((1900, 1901),))), as_json=False)
    assert capsys.readouterr().err == "Nothing was found: try something else, or fewer filters.\n"


def test_pictures_that_cannot_be_written_are_left_out_and_said(
    library: SmallLibrary, capsys: pytest.CaptureFixture[str]
) -> None:
    library.cache.write_text("a file")
    shown = table(library, Query((Visual("red"),)))
    assert "00:00:00.000" in shown and ".jpg" not in shown
    assert capsys.readouterr().err.startswith(f"A thumbnail could not be written to '{library.cache}'")


def test_json_is_one_object_a_line(library: SmallLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    answer(library, Query((Dialogue("hello"), Visual("red"))), as_json=True)
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["title_id"], line["start_ms"]) for line in lines] == [("harbour", 0), ("harbour", 3_723_004)]
    assert lines[1]["sources"][0]["text"].endswith("☃")
    assert err == ""
    assert not library.cache.exists()


def test_notes_go_to_standard_error(library: SmallLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    answer(library, Query((Dialogue("hello"),), Filters(characters=("Marian",))), as_json=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Nobody called Marian is in a cast, nor speaks (did you mean Maria?).\n"


WRONG = [
    (["--language", "de"], "--language and --kind narrow what is said"),
    (["x", "--language", "klingonish"], "'klingonish' is no language"),
    (["--shot", "sintel"], "'sintel' names no shot"),
    (["--shot", "sintel@soon"], "'soon' is no timecode"),
    (["--where", "faces"], "'faces' is no condition"),
    (["--image", "no-such.jpg"], "There is no file 'no-such.jpg'"),
    (["--clip", "no-such.mp4"], "There is no file 'no-such.mp4'"),
    (["--range", "sintel@1:00"], "'sintel@1:00' names no range"),
    (["x", "--year", "94"], "'94' is no year"),
    (["x", "--sort", "length"], "--sort is score or time, not 'length'"),
    (["x", "--group-by", "genre"], "--group-by is title or series, not 'genre'"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_wrong_input_is_one_sentence_and_exit_code_2(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)
    assert (result.stderr.count("\n"), result.stdout) == (1, "")


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("Wrong."), 2), (TitleError("No picture."), 2), (SystemFault("Disk full."), 1)]
)
def test_errors_are_their_sentence(error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, sentences():
        raise error
    assert caught.value.exit_code == code
    assert capsys.readouterr().err == f"{error}\n"


def test_texts_are_shown_on_one_line_without_control_characters() -> None:
    assert plain("a\nb\r\tc\x1b]0;x\x07\x9b1m") == "a / b c ]0;x 1m"
    assert timecode(359_999_999) == "99:59:59.999"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--query", "{"], "--query is no JSON: Expecting property name"),
        (["--query", "[" * 100_000], "--query is no JSON: maximum recursion depth"),
        (["--query", '{"clauses": [{"dialog": {}}]}'], "There is no clause 'dialog'"),
        (["--query", "@nowhere.json"], "'nowhere.json' cannot be read (No such file or directory)"),
        (["--query", '{"clauses": [{"text": {"text": "a"}}]}', "--limit", "5"], "--query is the whole question"),
        (["--query", '{"clauses": [{"text": {"text": "a"}}]}', "harbour"], "--query is the whole question"),
        (["--query", '{"clauses": [{"text": {"text": "a"}}]}', "--genre", "drama"], "--query is the whole question"),
    ],
)
def test_a_question_as_json_that_is_none_gets_a_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, arguments, env={"MEDIAFLOW_HOME": str(tmp_path)})
    assert done.exit_code == 2 and done.stderr.startswith(said)


def test_a_question_as_json_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "question.json").write_text('{"clauses": [{"text": {"text": "ships"}}]}')
    done = CliRunner().invoke(
        app, ["--query", f"@{tmp_path}/question.json"], env={"MEDIAFLOW_HOME": str(tmp_path / "home")}
    )
    assert done.exit_code == 1 and done.stderr.startswith("Nothing is published yet")


def test_the_docs_name_every_option_and_no_other() -> None:
    said = (ROOT / "docs" / "search.md").read_text()
    command = typer.main.get_command(app)
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    documented = set(re.findall(r"^\| `(--[a-z-]+)` \|", said, re.M))
    assert documented == options - {"--install-completion", "--show-completion"}
    assert re.search(r"^\| `TEXT` \|", said, re.M)
