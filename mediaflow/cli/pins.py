"""Commands that keep a snapshot for a time, and let it go: `pin`, `unpin`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mediaflow.cli.output import milliseconds, plain, sentences

_CURRENT = "current"


def pin(
    snapshot: Annotated[
        str, typer.Argument(help="A snapshot's id, or 'current'.", metavar="SNAPSHOT", show_default=False)
    ],
    duration: Annotated[str, typer.Option("--for", help="How long, such as 12h or 30d.", metavar="DURATION")] = "30d",
    why: Annotated[str, typer.Option(help="For those who wonder what keeps it.", metavar="TEXT")] = "",
) -> None:
    """Keep a snapshot for a time, whatever is published and collected meanwhile."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        ttl_ms = milliseconds(duration)
        wanted = None if snapshot == _CURRENT else snapshot
        put = opened.pin(wanted, why, ttl_ms)
        until_ms = time.time_ns() // 1_000_000 + ttl_ms
        print(kept({"id": put.id, "snapshot": put.snapshot, "until_ms": until_ms}))


def unpin(
    wanted: Annotated[
        str, typer.Argument(help="A pin's id, or that of a snapshot.", metavar="PIN|SNAPSHOT", show_default=False)
    ],
) -> None:
    """Let go of what `pin` keeps."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        for one in opened.unpin(wanted):
            print(plain(f"Pin {one.id} keeps snapshot {one.body['snapshot']} no longer ({one.body['why']})."))


def kept(line: Mapping[str, Any]) -> str:
    """Return the sentence on a pin."""
    from mediaflow.snapshots.history import when

    said = f"Pin {line['id']} keeps snapshot {line['snapshot']} until {when(line['until_ms'])}"
    return plain(f"{said} for {line['who']}: {line['why']}" if "who" in line else f"{said}.")
