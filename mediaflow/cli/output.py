"""What commands print: hits as a table or as JSON, notes and errors as single sentences on standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediaflow.errors import MediaflowError, TitleError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from mediaflow.search.results import Hit, Results

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d{1,6})([smhd])")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_PIPED_WIDTH = 160
_PIPED_COLUMNS_WIDTH = 200
# An option of every command that prints a table.
Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@contextmanager
def sentences() -> Iterator[None]:
    """Turn mediaflow's own errors into their sentence and an exit code: 2 for wrong input, 1 for all else."""
    try:
        yield
    except MediaflowError as error:
        print_note(error.message)
        raise typer.Exit(2 if isinstance(error, UsageError | TitleError) else 1) from error


def timecode(time_ms: int) -> str:
    """Return `hh:mm:ss.mmm`."""
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milliseconds:03d}"


def duration(seconds: float) -> str:
    """Return a time that nobody knows exactly, in seconds, minutes or hours: `40 s`, `5 min`, `3 h`."""
    for unit, longest, worth in (("s", 90, 1), ("min", 90 * 60, 60)):
        if seconds < longest:
            return f"{max(1, round(seconds / worth))} {unit}"
    return f"{round(seconds / 3600)} h"


def milliseconds(duration: str) -> int:
    """Return a duration that a user wrote, such as 12h; `UsageError` where it is none."""
    found = _DURATION.fullmatch(duration.strip())
    if found is None or not int(found[1]):
        raise UsageError(
            f"{duration!r} is no duration: give a number and s, m, h or d, such as 12h or 30d.", duration=duration
        )
    return int(found[1]) * _UNITS_MS[found[2]]


def counted(number: int, what: str) -> str:
    """Return `1 title`, `2 titles`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def plain(text: str) -> str:
    """Return a text on one line, without characters that a terminal would obey."""
    return _CONTROLS.sub(" ", text.replace("\n", " / ")).strip()


def print_note(sentence: str) -> None:
    """Print a sentence on standard error."""
    print(plain(sentence), file=sys.stderr)


def print_lines(lines: Sequence[Mapping[str, Any]]) -> None:
    """Print one JSON object a line."""
    for line in lines:
        print(json.dumps(line, ensure_ascii=False))


def print_columns(names: Sequence[str], lines: Sequence[Mapping[str, Any]]) -> None:
    """Print the fields of these names as a table; None is left empty."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for line in lines:
        table.add_row(*(Text(plain("" if line[name] is None else str(line[name]))) for name in names))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPED_COLUMNS_WIDTH
    console.print(table)


def print_json(results: Results) -> None:
    """Print one JSON object a line and hit."""
    for hit in results:
        print(json.dumps(hit.as_json() | {"release": results.release}, ensure_ascii=False))


def print_table(results: Results, thumbnails: Sequence[Path | None], console: Console | None = None) -> None:
    """Print hits as a table.

    Parameters
    ----------
    results : Results
        What to show.
    thumbnails : sequence of Path or None
        One a hit; shown where the hit has no text.
    console : rich.console.Console, optional
        Where to print; standard output where it is not given.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    spoken = any(hit.match for hit in results)
    grouped = any(hit.grouped > 1 for hit in results)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("time", no_wrap=True)
    table.add_column("title", ratio=2, overflow="fold")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("found by", no_wrap=True)
    for header in (["who"] if spoken else []) + (["hits"] if grouped else []):
        table.add_column(header, no_wrap=True)
    table.add_column("text or picture", ratio=4, overflow="fold")
    for hit, thumbnail in zip(results, thumbnails, strict=True):
        cells = [timecode(hit.start_ms), plain(hit.title), f"{hit.score:.4f}", _algorithms(hit)]
        cells += [hit.match or ""] if spoken else []
        cells += [str(hit.grouped)] if grouped else []
        table.add_row(*map(Text, [*cells, _text(hit) or _shown(thumbnail)]))
    console.print(table)


def _algorithms(hit: Hit) -> str:
    return ", ".join(dict.fromkeys(source.algorithm for source in hit.sources))


def _text(hit: Hit) -> str:
    """Return what is said, written or named: of each algorithm, the first."""
    told: dict[str, str] = {}
    for source in hit.sources:
        if source.text:
            told.setdefault(source.algorithm, f"{source.speaker}: {source.text}" if source.speaker else source.text)
    return " | ".join(map(plain, told.values()))


def _shown(path: Path | None) -> str:
    if path is None:
        return ""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
