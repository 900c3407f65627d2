"""`mediaflow evaluate`: measures a snapshot by questions with known answers, alone or beside another one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediaflow.cli.output import Json, counted, plain, print_columns, print_lines, print_note, sentences, timecode
from mediaflow.errors import UsageError

if TYPE_CHECKING:
    from mediaflow.quality.comparison import Change, Comparison, Moved
    from mediaflow.quality.evaluation import Evaluation, Group, Measured

_SHOWN = 5


def evaluate(
    file: Annotated[
        Path | None, typer.Argument(help="Questions; those of 'golden'.", metavar="FILE", show_default=False)
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(help="Measure this one, not the current one.", metavar="SNAPSHOT|TIME")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Compare it with another one.", metavar="SNAPSHOT|TIME|previous")
    ] = None,
    stored: Annotated[bool, typer.Option("--stored", help="Ask nothing, list what was measured.")] = False,
    as_json: Json = False,
) -> None:
    """Measure a snapshot by questions with known answers: nDCG@10, R@20 and RR, by clause, language and model."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        if stored:
            if file is not None or as_of is not None or against is not None:
                raise UsageError("--stored lists all that was measured: give it alone.")
            print_stored(opened.evaluations(), as_json)
            return
        found, comparison = opened.evaluate(file, "current" if as_of is None else as_of, against)
        if as_json:
            print(json.dumps(body(found) | {"against": comparison and comparison.to_json()}, ensure_ascii=False))
        else:
            print_evaluation(found)
            if comparison is not None:
                print_comparison(comparison)


def body(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation with its groups as JSON values."""
    quiet, without = evaluation.quiet()
    groups = [dataclasses.asdict(group) for group in evaluation.groups()]
    return evaluation.to_json() | {"groups": groups, "quiet": quiet, "without_answer": without}


def print_evaluation(evaluation: Evaluation) -> None:
    """Print an evaluation as a table, and the questions that fared worst."""
    from mediaflow.quality.measures import MEASURES, NDCG

    count = counted(len(evaluation.questions), "question")
    print(plain(f"snapshot {evaluation.snapshot}: {count} of {evaluation.file}"))
    lines = [
        {"group": _group(group), "questions": len(group.numbers), **_rounded(group.means)}
        for group in evaluation.groups()
    ]
    if lines:
        print_columns(("group", "questions", *MEASURES), lines)
    quiet, without = evaluation.quiet()
    if without:
        print(f"nothing came for {quiet} of {counted(without, 'question')} to which nothing is right")
    worst = sorted(evaluation.answerable(), key=lambda number: evaluation.scores(NDCG, [number]))
    for number in worst[:_SHOWN]:
        if evaluation.scores(NDCG, [number])[0] < 1:
            print(plain(f"{evaluation.scores(NDCG, [number])[0]:.2f} {_fared(evaluation.questions[number])}"))
    if evaluation.unknown:
        print_note(
            f"The snapshot has no title {', '.join(evaluation.unknown)}, which answers name: 'mediaflow titles' lists "
            f"the ids; correct {evaluation.file} where it is wrong."
        )
    for failed in dict.fromkeys(one.failed for one in evaluation.questions if one.failed):
        print_note(failed)


def print_comparison(comparison: Comparison) -> None:
    """Print a comparison as a table, of parts of the questions by nDCG@10 alone, and the questions that moved most."""
    from mediaflow.quality.evaluation import ALL
    from mediaflow.quality.measures import NDCG

    print(f"against snapshot {comparison.snapshot}:")
    lines = [_line(one) for one in comparison.changes if one.by == ALL or one.measure == NDCG]
    if lines:
        print_columns(("group", "questions", "measure", "before", "after", "difference", "95% interval", "p"), lines)
    _print_moved("fell", comparison.fell)
    _print_moved("rose", comparison.rose)


def print_stored(evaluations: Sequence[Evaluation], as_json: bool) -> None:
    """Print what was measured of snapshots: a line each, or all of it as JSON."""
    from mediaflow.quality.measures import MEASURES
    from mediaflow.snapshots.history import when

    if as_json:
        print_lines([body(one) for one in evaluations])
        return
    lines = []
    for one in evaluations:
        means = next((group.means for group in one.groups()), dict.fromkeys(MEASURES))
        lines.append(
            {
                "snapshot": one.snapshot,
                "file": one.file,
                "questions": len(one.questions),
                **_rounded(means),
                "measured": when(one.at_ms),
            }
        )
    if lines:
        print_columns(("snapshot", "file", "questions", *MEASURES, "measured"), lines)
    else:
        print_note("Nothing was measured yet: 'mediaflow evaluate FILE' does, and stores it with the snapshot.")


def _rounded(means: Mapping[str, float | None]) -> dict[str, str | None]:
    return {name: None if value is None else f"{value:.3f}" for name, value in means.items()}


def _group(one: Group | Change) -> str:
    return f"{one.by} {one.value}".rstrip()


def _fared(one: Measured) -> str:
    if one.failed:
        return f"{one.question}: cannot be asked"
    first = min((answer.rank for answer in one.answers if answer.rank), default=None)
    if first is not None:
        return f"{one.question}: first right at rank {first}"
    missed = one.answers[0]
    return f"{one.question}: {missed.title_id} at {timecode(missed.time_ms)} did not come"


def _line(one: Change) -> dict[str, Any]:
    paired = one.paired
    interval = None if paired.low is None or paired.high is None else f"{paired.low:+.3f} to {paired.high:+.3f}"
    return {
        "group": _group(one),
        "questions": one.questions,
        "measure": one.measure,
        "before": f"{one.before:.3f}",
        "after": f"{one.after:.3f}",
        "difference": f"{paired.difference:+.3f}",
        "95% interval": interval,
        "p": None if paired.p is None else f"{paired.p:.3g}",
    }


def _print_moved(word: str, moved: Sequence[Moved]) -> None:
    if moved:
        shown = [f"{one.question!r} {one.before:.2f} -> {one.after:.2f}" for one in moved[:_SHOWN]]
        more = f" and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
        print(plain(f"{word}: {'; '.join(shown)}{more}"))
