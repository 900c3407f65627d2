"""Commands about the library itself: `status`, `plan`, `titles`, `show`, `scan`, `retry`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediaflow.cli.output import (
    Json,
    counted,
    duration,
    plain,
    print_columns,
    print_lines,
    print_note,
    sentences,
    timecode,
)
from mediaflow.cli.remote import Server, client
from mediaflow.errors import UsageError

if TYPE_CHECKING:
    from mediaflow.client import Client
    from mediaflow.library import Library

_TITLE_COLUMNS = ("title_id", "title", "year", "series", "season", "episode")
_MOST_PENDING = 10


def status(as_json: Json = False) -> None:
    """Show what is fresh, what is not and why, and what is served."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        found = opened.status()
        if as_json:
            print(json.dumps(found, ensure_ascii=False))
            return
        if not found["titles"]:
            _print_no_titles(opened)
        counts = [f"{found[name]} {name}" for name in ("fresh", "stale", "failed", "quarantined") if found[name]]
        print(counted(found["titles"], "title") + (f": {', '.join(counts)}" if counts else ""))
        _print_release(found["release"])
        if found["release"] and found["release"]["held"]:
            print(plain(opened.releases.entry(found["release"]["number"]).holding()))
        for sentence in found["refused"]["sentences"] if found["refused"] else ():
            print(f"refused: {plain(sentence)}")
        _print_algorithms(found["algorithms"])
        for reason, count in found["reasons"].items():
            print(f"stale: {counted(count, 'artifact')}: {reason}")
        for one in found["waiting"]:
            what = f"{one['title_id']} ({one['stage']})" if "title_id" in one else one["stage"]
            print(f"{one['state']}: {what}: {plain(one['reason'])}")
        _print_look(found["library"])


def plan(as_json: Json = False) -> None:
    """Show what is not fresh, and why, line by line; and which algorithms changed without a new version."""
    from mediaflow.library import open_library
    from mediaflow.report import plan_lines, source_lines

    with sentences(), open_library() as opened:
        lines = plan_lines(opened.plan())
        warnings = source_lines(opened.changed_sources())
        if as_json:
            print_lines([*warnings, *lines])
            return
        for one in warnings:
            print(f"warning: {plain(one['warning'])}")
        if lines:
            print_columns(("title_id", "stage", "state", "reason"), lines)
        elif not opened.titles():
            _print_no_titles(opened)
        else:
            print_note("Everything is fresh.")


def titles(server: Server = None, as_json: Json = False) -> None:
    """List the titles of the library with their state; those that a server has published, without."""
    from mediaflow.library import open_library
    from mediaflow.report import title_lines

    with sentences(), client(server) as remote:
        if remote is not None:
            _print_published(remote, as_json)
            return
        with open_library() as opened:
            lines = title_lines(opened.plan(), opened.titles())
            if not lines and not as_json:
                _print_no_titles(opened)
        if as_json:
            print_lines(lines)
        elif lines:
            print_columns((*_TITLE_COLUMNS, "state"), lines)


def _print_published(remote: Client, as_json: bool) -> None:
    lines = [{name: getattr(one, name) for name in (*_TITLE_COLUMNS, "kind")} for one in remote.titles()]
    if as_json:
        print_lines(lines)
    elif lines:
        print_columns(_TITLE_COLUMNS, lines)
    else:
        print_note("Nothing is published there.")


def show(
    title: Annotated[str, typer.Argument(help="The title's id or name.", metavar="TITLE")],
    as_json: Json = False,
) -> None:
    """Show one title in full, as published: its entry, shots and cues."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        found = opened.show(title)
        if as_json:
            print(json.dumps(found, ensure_ascii=False))
            return
        _print_title(found)


def scan(
    allow_loss: Annotated[bool, typer.Option(help="Believe also the loss of many titles at once.")] = False,
    as_json: Json = False,
) -> None:
    """Look at the library folder now and say what changed."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        looked = opened.scan(allow_loss=allow_loss)
        change = looked.change
        words = ("added", "changed", "moved", "returned", "removed")
        if as_json:
            body: dict[str, Any] = {word: list(getattr(change, word)) for word in words}
            print(json.dumps(body | opened.last_look(), ensure_ascii=False))
        else:
            for word in words:
                for title_id in getattr(change, word):
                    print(f"{word}: {title_id}")
            print(counted(len(opened.titles()), "title"))
            _print_look(opened.last_look())
        if looked.guard:
            raise typer.Exit(1)


def retry(
    what: Annotated[str | None, typer.Argument(help="A title's id or name, or an algorithm.", metavar="WHAT")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that failed or stopped.")] = False,
) -> None:
    """Give what failed or has stopped a new start at the next refresh."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        count = opened.retry(what, everything=everything)
        if count:
            print(f"{counted(count, 'artifact')} will be tried again at the next refresh.")
        else:
            print_note("There is nothing to try again: nothing of it failed or has stopped.")


def _print_no_titles(opened: Library) -> None:
    try:
        if opened.root.is_dir():
            print_note(f"There are no titles of {opened.root} yet: run 'make refresh' or 'make up'.")
        else:
            print_note(f"The library {opened.root} is not a folder: check that the setting `library` is right.")
    except UsageError as error:
        print_note(error.message)


def _print_release(release: Mapping[str, Any] | None) -> None:
    if release is None:
        print("release: none yet")
    else:
        titles = counted(release["titles"], "title")
        print(f"release: {release['number']} (snapshot {release['snapshot']}, {titles})")


def _print_algorithms(algorithms: Mapping[str, Mapping[str, Any]]) -> None:
    for name, one in algorithms.items():
        said = "served" if one["current"] else "an earlier generation is served" if one["served"] else "not served yet"
        if one["kept"] is not None:
            said += " and kept up to date" if one["kept"] else " and not kept up to date"
        without = f", {one['without']} without" if one["without"] else ""
        left = "" if one["seconds_left"] is None else f", about {duration(one['seconds_left'])} left"
        print(f"{name}: {one['covered']} of {one['of']} titles{without}{left}, {said} ({one['owner']})")
        if one["pending"]:
            shown = ", ".join(one["pending"][:_MOST_PENDING]) + (", …" if len(one["pending"]) > _MOST_PENDING else "")
            print(f"{name}: {counted(len(one['pending']), 'title')} published without it: {shown}")


def _print_look(look: Mapping[str, Any]) -> None:
    if look["guard"]:
        print(f"library: {plain(look['guard'])}")
    if look["settling"]:
        print(f"library: {look['settling']} files may still be being written")
    for one in look["problems"]:
        print(f"problem: {plain(one['path'])}: {plain(one['message'])}")
    for one in look["ignored"]:
        print(f"ignored: {plain(one['path'])}: {plain(one['reason'])} ({one['count']})")


def _print_title(found: Mapping[str, Any]) -> None:
    name = f"{found['title']} ({found['year']})" if found["year"] else str(found["title"])
    print(f"{plain(name)} [{found['title_id']}], {found['state']}")
    if found["series"]:
        print(f"{plain(found['series'])}, season {found['season']}, episode {found['episode']}")
    for label in ("genres", "languages"):
        if found[label]:
            print(f"{label}: {', '.join(map(plain, found[label]))}")
    for one in found["people"]:
        print(plain(f"cast: {one['talent']}" + (f" as {one['character']}" if one["character"] else "")))
    for line in found["not fresh"]:
        print(f"{line['state']}: {line['stage']}: {plain(line['reason'])}")
    for note in found["notes"]:
        print(f"note: {plain(note)}")
    for number, one in enumerate(found["shots"]):
        print(f"shot {number}: {timecode(one['start_ms'])} to {timecode(one['end_ms'])}")
    for one in found["cues"]:
        speaker = f"{one['speaker']}: " if one["speaker"] else ""
        print(plain(f"{timecode(one['start_ms'])} {one['language']} {speaker}{one['text']}"))
    for algorithm, rows in found["annotations"].items():
        print(f"{algorithm}: {len(rows)} annotations")
