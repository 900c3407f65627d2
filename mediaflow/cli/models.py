"""Commands about models: `models list`, `show`, `add`, `use`, `retire`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediaflow.cli.output import Json, counted, plain, print_columns, print_lines, print_note, sentences
from mediaflow.errors import UsageError

if TYPE_CHECKING:
    from mediaflow.models.progress import Progress
    from mediaflow.models.record import ModelRecord

_SHORT = 8

app = typer.Typer(help="The models: list, add, use, retire.", no_args_is_help=True)

Algorithm = Annotated[
    str | None, typer.Option(help="The algorithm; needed where several have a model.", metavar="NAME")
]
Model = Annotated[
    str, typer.Argument(help="A name, or an identity or its unique beginning.", metavar="MODEL", show_default=False)
]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the models with what they are, which algorithm uses them by whose word, and what they serve."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        lines = opened.shelf().lines()
        if as_json:
            print_lines(lines)
            return
        columns = ("name", "for", "architecture", "dim", "identity", "added", "state", "serves", "source")
        known = [_shown(line) for line in lines if line["identity"]]
        if known:
            print_columns(columns, known)
        else:
            print_note("No model was taken in yet: 'mediaflow models add NAME SOURCE', or the next refresh, does it.")
        for line in lines:
            for use in line["used_by"]:
                print(plain(_use(line, use)))


@app.command()
def show(model: Model, as_json: Json = False) -> None:
    """Show one model in full: what it is, its files, what was decided about it."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        found = opened.shelf().show(model)
        if as_json:
            print(json.dumps(found, ensure_ascii=False))
        else:
            _print_model(found)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is to be called.", metavar="NAME", show_default=False)],
    source: Annotated[
        str,
        typer.Argument(
            help="demo, a folder, ARCHITECTURE@FILE, or ARCHITECTURE/TAG.", metavar="SOURCE", show_default=False
        ),
    ],
    algorithm: Algorithm = None,
    as_json: Json = False,
) -> None:
    """Take a model in: load it once, and copy its weights into the store. Nothing uses it yet."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        with _progress() as progress:
            record = opened.shelf().add(name, source, algorithm, progress)
        if as_json:
            print(json.dumps(opened.shelf().show(name), ensure_ascii=False))
        else:
            print(f"{name} is in the store: {_what(record)}. 'mediaflow models use {name}' makes it the one in use.")


@app.command()
def use(
    model: Annotated[
        str | None, typer.Argument(help="A name, or an identity or its unique beginning.", metavar="MODEL")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Go back to the model of the setting.")] = False,
    algorithm: Algorithm = None,
    as_json: Json = False,
) -> None:
    """Make a model that of an algorithm from now on, in place of the setting's."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        if (model is None) != default:
            raise UsageError("Say which model: its name or identity, or --default for that of the setting.")
        shelf = opened.shelf()
        record: ModelRecord | None
        with _progress() as progress:
            wanted, record = shelf.use_setting(algorithm) if model is None else shelf.use(model, algorithm, progress)
        if as_json:
            identity = record.identity if record else None
            by = "choice" if wanted.chosen else "setting"
            said = {"algorithm": wanted.algorithm, "by": by, "name": wanted.name, "identity": identity}
            print(json.dumps(said, ensure_ascii=False))
            return
        what = _what(record) if record else "the next refresh brings it"
        print(plain(f"{wanted.algorithm} uses {wanted.name} from now on ({what}){_by(wanted.chosen)}."))
        print("The next refresh computes what is not there yet; until that covers the titles, what is served stays.")


@app.command()
def retire(model: Model, as_json: Json = False) -> None:
    """Mark a model as no longer to be used; its weights go once no snapshot names it."""
    from mediaflow.library import open_library

    with sentences(), open_library() as opened:
        retired = opened.shelf().retire(model)
        if as_json:
            print(json.dumps({"retired": [record.identity for record in retired]}))
            return
        if retired:
            ids = ", ".join(record.identity[:_SHORT] for record in retired)
            print(plain(f"{model} is retired ({ids}): its weights stay as long as a snapshot names them."))
        else:
            print(plain(f"{model} is retired: its weights have another name, too, and stay."))


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show on standard error how far work is: a bar in a terminal, a line a step elsewhere."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _step_lines()
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn
    from rich.progress import Progress as Bars

    with Bars(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console, transient=True) as bars:
        task = bars.add_task("looking", total=None)
        yield lambda step, done, total: bars.update(task, description=step, completed=done, total=total or None)


def _step_lines() -> Progress:
    said: list[str] = []

    def tell(step: str, done: int, total: int) -> None:
        if step not in said:
            said.append(step)
            print(f"{step} the model", file=sys.stderr, flush=True)

    return tell


def _what(record: ModelRecord) -> str:
    own = "an architecture of its own" if record.architecture == "own" else record.architecture
    return f"{own}, {counted(record.dim, 'dimension')}, {record.identity[:_SHORT]}"


def _by(chosen: bool) -> str:
    return "" if chosen else ", as the setting says"


def _use(line: Mapping[str, Any], use: Mapping[str, Any]) -> str:
    from mediaflow.snapshots.history import when

    since = f"chosen {when(use['since_ms'])}" if use["by"] == "choice" else "as the setting says"
    identity = f" ({line['identity'][:_SHORT]})" if line["identity"] else ""
    problem = f": {line['problem']}" if line["problem"] else ""
    return f"{use['algorithm']} uses {line['name']}{identity}, {since}{problem}"


def _shown(line: Mapping[str, Any]) -> dict[str, Any]:
    from mediaflow.snapshots.history import when

    used = [f"used by {use['algorithm']}" for use in line["used_by"]]
    states = [*used, *(word for word in ("replaced", "retired") if line[word])]
    return {
        **line,
        "for": line["algorithm"],
        "identity": line["identity"][:_SHORT],
        "added": when(line["added_ms"]) if line["added_ms"] else None,
        "state": ", ".join(states),
        "serves": ", ".join(f"{one['algorithm']} {one['generation'][:_SHORT]}" for one in line["serves"]),
    }


def _print_model(found: Mapping[str, Any]) -> None:
    from mediaflow.snapshots.history import when

    shown = _shown(found)
    prepare = found["preprocessing"]
    height, width = found["image_size"]
    facts = {
        "source": found["source"],
        "for": found["algorithm"],
        "architecture": found["architecture"],
        "identity": found["identity"],
        "dimensions": found["dim"],
        "pictures": f"{height} x {width}",
        "preprocessing": ", ".join(f"{name} {value}" for name, value in prepare.items()) if prepare else None,
        "added": shown["added"],
        "state": shown["state"],
        "serves": shown["serves"],
        "weights": "in the store" if found["in_store"] else "not in the store any more",
    }
    print(plain(found["name"]))
    for name, value in facts.items():
        if value:
            print(plain(f"{name}: {value}"))
    for one in found["files"]:
        print(f"file: {one['key']} ({one['size']} bytes, SHA-256 {one['sha256']})")
    for identity in found["others"]:
        print(f"other of this name: {identity}")
    for entry in found["history"]:
        algorithm = f" for {entry['algorithm']}" if entry.get("algorithm") else ""
        print(f"{when(entry['at_ms'])}: {entry['kind']}{algorithm}")
