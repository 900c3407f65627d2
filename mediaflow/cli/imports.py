"""The commands `mediaflow annotations …`: what was made elsewhere comes in by `import`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediaflow.cli.output import Json, counted, print_note, sentences

if TYPE_CHECKING:
    from mediaflow.imports.importing import Imported, Progress

_SHOWN = 10

app = typer.Typer(help="Annotations that were made elsewhere.", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Parquet, or one JSON object a line.", metavar="FILE")],
    algorithm: Annotated[
        str, typer.Option("--algorithm", help="Which declared algorithm the rows are of.", metavar="NAME")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is all there is: titles it does not name lose their rows.")
    ] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the other rows where some are bad.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Import nothing, only say what would change.")] = False,
    as_json: Json = False,
) -> None:
    """Import rows of an algorithm; the titles that the file names have these rows and no others."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        with _progress() as progress:
            found = opened.import_annotations(
                file, algorithm, replace=replace, skip_bad=skip_bad, dry_run=dry_run, progress=progress
            )
        refused = bool(found.bad) and not skip_bad
        if as_json:
            print(json.dumps(found.to_json(), ensure_ascii=False))
        else:
            _print(found, dry_run, refused)
        if refused:
            raise typer.Exit(2)


def _print(found: Imported, dry_run: bool, refused: bool) -> None:
    for problem in found.problems:
        print_note(problem.sentence)
    if more := found.bad - len(found.problems):
        print_note(f"{counted(more, 'more bad row')}.")
    print(f"{counted(found.rows, 'row')}, {found.bad} of them bad")
    if refused:
        print_note("Nothing was imported: mend the rows, or leave them out with --skip-bad.")
        return
    print(f"{_titles(len(found.changed), dry_run)} other rows, {len(found.same)} the same")
    if found.removed:
        print(f"{_titles(len(found.removed), dry_run)} none any more: {_some(found.removed)}")
    if found.done and (found.changed or found.removed):
        print("The next refresh publishes them.")


def _titles(number: int, dry_run: bool) -> str:
    have = "would have" if dry_run else "has" if number == 1 else "have"
    return f"{counted(number, 'title')} {have}"


def _some(titles: Sequence[str]) -> str:
    more = len(titles) - _SHOWN
    return ", ".join(titles[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show a bar on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress as Bars

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda what, share: None
        return
    with Bars(console=console, transient=True) as bars:
        task = bars.add_task("checking", total=1.0)
        yield lambda what, share: bars.update(task, description=what, completed=share)
