"""Commands about what is kept: `gc`, `verify`, `erase`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mediaflow.cli.output import Json, counted, print_columns, print_note, sentences

_WHY_NOT = {
    "busy": "A publish or another collector is at work: nothing was deleted; try again when it is done.",
    "overtaken": "A publish that began meanwhile has gone ahead: run 'mediaflow gc' again for the rest.",
    "nothing released": "Nothing is published yet, so there is nothing to judge by: nothing was deleted.",
}


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing, only say what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Free what no snapshot that is kept, no reader and no plan needs."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        found = opened.collect(dry_run)
        if as_json:
            print(json.dumps(found.to_json()))
        else:
            said = "would be freed" if dry_run else "freed"
            print(f"{said}: {_size(found.size_bytes)}")
            for snapshot in found.snapshots:
                print(f"snapshot: {snapshot}")
            for table in found.tables:
                print(f"table: {table}")
            counts = {
                "version": found.versions,
                "file": found.files,
                "artifact": found.artifacts,
                "small object": found.objects,
            }
            print(", ".join(counted(count, what) for what, count in counts.items()))
            for snapshot, who in found.leaving.items():
                print(f"leaving: {snapshot}: {who}")
        if found.outcome in _WHY_NOT:
            print_note(_WHY_NOT[found.outcome])
        if found.outcome in ("busy", "overtaken"):
            raise typer.Exit(1)


def verify(
    snapshot: Annotated[
        str | None, typer.Argument(help="A snapshot's id; all that are kept.", metavar="SNAPSHOT", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Read all that a snapshot names, and say what is not there or not as it should be."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        found = opened.verify(snapshot)
        if as_json:
            print(json.dumps(found.to_json(), ensure_ascii=False))
        else:
            lines = [{"snapshot": one} | line._asdict() for one, of in found.problems.items() for line in of]
            if lines:
                print_columns(("snapshot", "kind", "name", "message"), lines)
            whole = sum(not of for of in found.problems.values())
            print(
                f"{whole} of {counted(len(found.problems), 'snapshot')} whole: read "
                f"{counted(found.tables, 'version')} of tables in {counted(found.files, 'file')}, "
                f"{counted(found.rows, 'row')}, {counted(found.models, 'model')}, "
                f"{counted(found.artifacts, 'artifact')}"
            )
        if not found.whole:
            raise typer.Exit(1)


def erase(
    title: Annotated[str, typer.Argument(help="The title's id or name.", metavar="TITLE")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Take a title that has left the library folder out of everything, for good."""
    from mediaflow.library import open_library
    from mediaflow.publishing.erase.erase import holders, to_json

    with sentences(), open_library() as opened:
        erasure = opened.erasure(title)
        snapshots, pins = holders(opened.store, erasure)
        if not as_json:
            for what, ids in (("snapshot", snapshots), ("pin", pins)):
                for one in ids:
                    print(f"{what} that goes: {one}")
        if not yes and not typer.confirm(f"Erase {erasure.title_id} and what is listed above, for good?", err=True):
            print_note("Nothing was erased.")
            raise typer.Exit(1)
        freed = opened.erase(title)
        if as_json:
            print(json.dumps(to_json(erasure, snapshots, pins, freed), ensure_ascii=False))
            return
        print(f"erased: {erasure.title_id}; freed: {_size(freed.size_bytes)}")
        print_note("Dagster clears its history of it at the next tick of 'make up', or when you run 'make refresh'.")


def _size(size_bytes: int) -> str:
    """Return bytes as people read them, in powers of ten."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
