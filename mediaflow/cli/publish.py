"""`mediaflow publish`: publishes what is whole now, and says what the gates said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediaflow.cli.output import Json, counted, plain, print_columns, print_note, sentences
from mediaflow.errors import UsageError
from mediaflow.publishing import refusals

if TYPE_CHECKING:
    from mediaflow.library import Library
    from mediaflow.publishing.publisher import Publication

_DONE, _BROKEN, _REFUSED = 0, 1, 3
_SAID = {
    "nothing new": "Nothing new: what is served is what is whole.",
    "busy": "Another publisher is at work: ask again when it is done.",
    "overtaken": "A rollback or another publisher came between: nothing was published; try again.",
}
_CODES = {"released": _DONE, "nothing new": _DONE, "held": _REFUSED, "refused": _REFUSED}
_COLUMNS = ("gate", "verdict", "value", "limit", "what it says")


def publish(
    override: Annotated[list[str], typer.Option(help="Let this gate fail, this once.", metavar="GATE")] = [],  # noqa: B006
    reason: Annotated[list[str], typer.Option(help="Why; one a gate, or one for all.", metavar="TEXT")] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Publish what is whole now, and show what the gates say of it."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        done = opened.publish(_overridden(override, reason))
        if as_json:
            print(json.dumps(_body(done), ensure_ascii=False))
        else:
            _print(opened, done)
    if code := _CODES.get(done.outcome, _BROKEN):
        raise typer.Exit(code)


def print_gates(gates: Sequence[Mapping[str, Any]]) -> None:
    """Print what gates said as a table."""
    lines = []
    for gate in gates:
        said = f"{gate['said']} (overridden: {gate['reason']})" if gate["reason"] else gate["said"]
        numbers = {name: None if gate[name] is None else f"{gate[name]:.3g}" for name in ("value", "limit")}
        lines.append({"gate": gate["name"], "verdict": gate["verdict"], **numbers, "what it says": said})
    print_columns(_COLUMNS, lines)


def _overridden(gates: Sequence[str], reasons: Sequence[str]) -> dict[str, str]:
    if len(reasons) == 1:
        return dict.fromkeys(gates, reasons[0])
    if len(reasons) not in (0, len(gates)):
        raise UsageError(f"There are {len(gates)} --override and {len(reasons)} --reason: give one for each, or one.")
    return dict(zip(gates, reasons or [""] * len(gates), strict=True))


def _body(done: Publication) -> dict[str, Any]:
    return {
        "outcome": done.outcome,
        "release": done.release or None,
        "snapshot": done.manifest.id if done.manifest else None,
        "added": list(done.added),
        "changed": list(done.changed),
        "removed": list(done.removed),
        "gates": list(done.gates),
    }


def _print(opened: Library, done: Publication) -> None:
    if done.outcome == "released":
        assert done.manifest is not None
        counts = [f"{counted(len(of), 'title')} {word}" for word, of in _differences(done).items() if of]
        print(f"Release {done.release}, snapshot {done.manifest.id}: {', '.join(counts) or 'the same titles'}.")
    elif done.outcome == "held":
        print(plain(opened.releases.entry(done.release).holding()))
    elif done.outcome in _SAID:
        print_note(_SAID[done.outcome])
    if done.gates:
        print_gates(done.gates)
    if done.outcome == "refused":
        for sentence in refusals.sentences(done.gates):
            print_note(sentence)


def _differences(done: Publication) -> dict[str, tuple[str, ...]]:
    return {"added": done.added, "changed": done.changed, "removed": done.removed}
