"""`mediaflow why`: the chain from an artifact down to what differs, with the two revisions side by side."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mediaflow.cli.output import plain, sentences

if TYPE_CHECKING:
    from mediaflow.planning.why import Compared, Link, Why

_WIDTH = 32


def why(
    title: Annotated[str, typer.Argument(help="A title's id or name.", metavar="TITLE")],
    artifact: Annotated[
        str | None,
        typer.Argument(help="An artifact, such as frames; all that are not fresh without it.", metavar="ARTIFACT"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """Say why an artifact is not fresh: what it was made of, what it should be made of, down to the root."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        found = opened.why(title, artifact)
        if as_json:
            print(json.dumps(found.to_json(), ensure_ascii=False))
        else:
            _print(found)


def _print(found: Why) -> None:
    for link in found.chain:
        _print_link(link)
    if not found.chain:
        print(f"Everything of {found.title_id} is fresh.")
    elif not found.fresh:
        for link in found.chain:
            if link.root:
                print(f"root: {link.stage}: {_cause(link)}")


def _print_link(link: Link) -> None:
    print(f"{link.stage}: {link.state}" + (f" ({plain(link.reason)})" if link.reason else ""))
    if link.has is None:
        print(f"  never built; should be {link.should}")
        return
    made = f", made {_time(link.made_ms)}" if link.made_ms is not None else ""
    print(f"  has {link.has}{made}; should be {link.should}")
    for one in link.fields:
        print(f"  {one.field:<{_WIDTH}} {_both(one)}")


def _both(one: Compared) -> str:
    should = _shown(one.should)
    if one.differs is None:
        return f"not recorded, should be {should}"
    return f"{_shown(one.has)} -> {should}" if one.differs else f"{should} (same)"


def _cause(link: Link) -> str:
    differing = [one for one in link.fields if one.differs]
    if differing:
        return ", ".join(f"{one.field} {_both(one)}" for one in differing)
    return plain(link.reason) or link.state


def _shown(value: str | None) -> str:
    return "none" if value is None else plain(value)


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
