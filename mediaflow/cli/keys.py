"""Commands on API keys: `keys add`, `list` and `revoke`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediaflow.cli.output import Json, milliseconds, plain, print_columns, print_lines, print_note, sentences
from mediaflow.errors import MediaflowError, UsageError

if TYPE_CHECKING:
    from mediaflow.library import Library
    from mediaflow.serve.access.keys import Key

app = typer.Typer(help="The keys by which other programs may ask.", no_args_is_help=True)
_Name = Annotated[str, typer.Argument(help="What to call it.", metavar="NAME", show_default=False)]


@app.command()
def add(
    name: _Name,
    role: Annotated[
        list[str], typer.Option(help="What it may do: search, admin; may be given twice.", metavar="ROLE")
    ] = ["search"],  # noqa: B006 - typer never changes a default
    title: Annotated[
        list[str] | None,
        typer.Option(help="The id of a title that it may see; may be given again.", metavar="ID", show_default=False),
    ] = None,
    series: Annotated[
        list[str] | None,
        typer.Option(help="A series that it may see, by name; as --title.", metavar="NAME", show_default=False),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="It may see all titles.")] = False,
    expires: Annotated[
        str | None,
        typer.Option(help="It holds so long, such as 12h or 90d.", metavar="DURATION", show_default=False),
    ] = None,
) -> None:
    """Make a key and print it, this once: of the key itself nothing is kept."""
    from mediaflow.library import open_library
    from mediaflow.search.titles.names import fold
    from mediaflow.search.titles.rights import Rights
    from mediaflow.serve.access.keys import Keys

    with sentences(), open_library() as opened:
        if all_ and (title or series):
            raise UsageError("A key sees --all titles, or some by --title and --series: give one of the two.")
        rights = None if all_ else Rights(frozenset(title or ()), frozenset(series or ()))
        until_ms = None if expires is None else time.time_ns() // 1_000_000 + milliseconds(expires)
        with _audited(opened, f"keys add {name}") as who:
            _, key = Keys(opened.store).add(name, role, rights, until_ms, who)
        records = opened.titles()
        known = {record.title_id for record in records}
        for absent in sorted(set(title or ()) - known):
            print_note(f"There is no title {absent!r} now; the key sees it once there is.")
        shown = {fold(record.entry.series) for record in records if record.entry.series}
        for absent in sorted(name for name in set(series or ()) if fold(name) not in shown):
            print_note(f"There is no series {absent!r} now; the key sees it once there is.")
        print(key)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the keys that were made, what each may do, and whether it holds."""
    from mediaflow.library import open_library
    from mediaflow.serve.access.keys import Keys

    with sentences(), open_library() as opened:
        now_ms = time.time_ns() // 1_000_000
        lines = [_line(key, now_ms) for key in Keys(opened.store).look().values()]
        if as_json:
            print_lines(lines)
            return
        shown = [{**line, "roles": ", ".join(line["roles"]), "sees": _sees(line)} for line in lines]
        print_columns(("name", "id", "roles", "sees", "state"), shown)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="Its name or id.", metavar="NAME", show_default=False)]) -> None:
    """End a key for good; servers let nobody in with it within seconds."""
    from mediaflow.library import open_library
    from mediaflow.serve.access.keys import Keys

    with sentences(), open_library() as opened:
        with _audited(opened, f"keys revoke {name}") as who:
            key = Keys(opened.store).revoke(name, who)
        print(plain(f"The key {key.name!r} ({key.id}) is revoked."))


@contextmanager
def _audited(opened: Library, what: str) -> Iterator[str]:
    """Give the name of who does something, and leave a line on how it ended."""
    from mediaflow.serve.access import audit
    from mediaflow.snapshots.pins import this_person

    who = this_person()
    with audit.kept(opened.home):
        try:
            yield who
        except MediaflowError as error:
            audit.said(who, what, type(error).__name__)
            raise
        audit.said(who, what, "done")


def _line(key: Key, now_ms: int) -> dict[str, Any]:
    state = "holds" if key.holds(now_ms) else "expired" if key.revoked_ms is None else "revoked"
    rights = key.rights
    return {
        "name": key.name,
        "id": key.id,
        "roles": sorted(key.roles),
        "titles": None if rights is None else sorted(rights.titles),
        "series": None if rights is None else sorted(rights.series),
        "made_ms": key.made_ms,
        "expires_ms": key.expires_ms,
        "revoked_ms": key.revoked_ms,
        "state": state,
    }


def _sees(line: dict[str, Any]) -> str:
    if line["titles"] is None:
        return "all titles"
    return ", ".join([*line["titles"], *(f"series {name}" for name in line["series"])])
