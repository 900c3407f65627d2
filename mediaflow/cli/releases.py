"""Commands about what was served when: `snapshots`, `diff`, `rollback`, `resume`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mediaflow.cli.output import Json, counted, plain, print_columns, print_lines, print_note, sentences, timecode
from mediaflow.cli.pins import kept

_SHORT = 8
_MOST_NAMED = 5
_MOST_ANSWERS = 10


def snapshots(as_json: Json = False) -> None:
    """List the releases with what each of them serves, the newest last, and who has pinned what."""
    from mediaflow.library import open_library
    from mediaflow.snapshots.history import lines
    from mediaflow.snapshots.reader import NOTHING

    with sentences(), open_library() as opened:
        found = lines(opened.store)
        if as_json:
            print_lines(found)
        elif found:
            columns = ("number", "kind", "when", "snapshot", "titles", "algorithms", "state", "reason")
            print_columns(columns, [_shown(line) for line in found])
            for pin in {pin["id"]: pin for line in found for pin in line["pins"]}.values():
                print(kept(pin))
        else:
            print_note(NOTHING)


def diff(
    before: Annotated[
        str | None, typer.Argument(help="A snapshot's id or a release's number.", metavar="A", show_default=False)
    ] = None,
    after: Annotated[
        str | None, typer.Argument(help="Another; the current one.", metavar="B", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what differs between two snapshots, as answers too; without any, the current one and the one before it."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        found = opened.diff(before, after)
        if as_json:
            print(json.dumps(found, ensure_ascii=False))
        else:
            _print_diff(found)


def rollback(
    snapshot: Annotated[
        str | None, typer.Argument(help="A snapshot's id; the one before.", metavar="ID", show_default=False)
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the release.", metavar="TEXT")] = "",
) -> None:
    """Serve an earlier snapshot, and publish nothing new until `resume`."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        print(plain(opened.rollback(snapshot, reason).holding()))


def resume() -> None:
    """Let publishes go on from what is served."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        release = opened.resume()
        print(f"Release {release.n} goes on from snapshot {release.snapshot}; the next refresh publishes what is new.")


def _shown(line: Mapping[str, Any]) -> dict[str, Any]:
    from mediaflow.snapshots.history import when

    algorithms = [
        f"{name} {one['generation'][:_SHORT]}"
        + (f" ({one['model_name'] or 'model'} {one['model'][:_SHORT]})" if one["model"] else "")
        for name, one in line["algorithms"].items()
    ]
    return {**line, "when": when(line["at_ms"]), "algorithms": ", ".join(algorithms)}


def _print_diff(found: Mapping[str, Any]) -> None:
    print(f"from {found['before']} to {found['after']}")
    by_stages: dict[str, list[str]] = {}
    for title, stages in found["changed"].items():
        by_stages.setdefault(", ".join(stages), []).append(title)
    named = [(word, found[word]) for word in ("added", "removed") if found[word]]
    for what, titles in [*named, *((f"changed ({stages})", of) for stages, of in by_stages.items())]:
        more = f" and {len(titles) - _MOST_NAMED} more" if len(titles) > _MOST_NAMED else ""
        print(f"{what}: {counted(len(titles), 'title')}: {', '.join(titles[:_MOST_NAMED])}{more}")
    for name, (before, after) in found["models"].items():
        print(plain(f"model of {name}: {_model(before)} -> {_model(after)}"))
    for name, (before, after) in found["generations"].items():
        print(f"generation of {name}: {(before or 'none')[:_SHORT]} -> {(after or 'none')[:_SHORT]}")
    for name, (before, after) in found["rows"].items():
        print(f"rows of {name}: {before or 0} -> {after or 0}")
    if not any(found[part] for part in ("added", "removed", "changed", "models", "generations", "rows")):
        print("The same titles, models, generations and rows.")
    for name, (before, after) in found["gates"].items():
        print(plain(f"gate {name}: {_gate(before)} -> {_gate(after)}"))
    _print_answers(found["answers"])


def _gate(gate: tuple[str, float | None, str] | None) -> str:
    if gate is None:
        return "not asked"
    verdict, value, reason = gate
    return verdict + (f" at {value:.3g}" if value is not None else "") + (f" ({reason})" if reason else "")


def _print_answers(answers: Mapping[str, Any]) -> None:
    moved = answers["moved"]
    print(f"answers: {len(moved)} of {counted(answers['asked'], 'question')} moved")
    for one in moved[:_MOST_ANSWERS]:
        print(f"  {plain(one['question'])}")
        for word in ("before", "after"):
            hits = [f"{hit['title']} at {timecode(hit['start_ms'])}" for hit in one[word]]
            print(f"    {word}: {plain(', '.join(hits)) or 'nothing'}")
    if len(moved) > _MOST_ANSWERS:
        print(f"  and {len(moved) - _MOST_ANSWERS} more; --json has all of them")


def _model(model: tuple[str, str] | None) -> str:
    return f"{model[0] or 'model'} {model[1][:_SHORT]}" if model else "none"
