"""`mediaflow search`: asks the published snapshot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from mediaflow.cli.output import print_json, print_note, print_table, sentences
from mediaflow.cli.remote import Remote, Server, client
from mediaflow.errors import SystemFault, UsageError
from mediaflow.search.process.parse import Options, parse_query
from mediaflow.search.query import Dialogue

if TYPE_CHECKING:
    from rich.console import Console

    from mediaflow.library import Library
    from mediaflow.search.gateway import Gateway
    from mediaflow.search.query import Query
    from mediaflow.search.results import Hit, Results


class Searched(Protocol):
    """What the command needs of a library."""

    def search(self, query: Query) -> Results: ...

    def at(self, snapshot: str) -> Gateway: ...

    def thumbnails(self, hits: Sequence[Hit]) -> list[Path | None]: ...


def answer(
    library: Searched, query: Query, as_json: bool, console: Console | None = None, snapshot: str | None = None
) -> None:
    """Ask a library, or one snapshot of it, and print what it answers."""
    if snapshot:
        with library.at(snapshot) as past:
            results = past.search(query)
    else:
        results = library.search(query)
    for note in results.notes:
        print_note(note)
    if as_json:
        print_json(results)
    elif results.hits:
        silent = [hit for hit in results if not any(source.text for source in hit.sources)]
        pictures = dict(zip(map(id, silent), _thumbnails(library, silent), strict=True))
        print_table(results, [pictures.get(id(hit)) for hit in results], console)
    else:
        spoken = any(isinstance(clause, Dialogue) for clause in query.clauses)
        hint = "one cue must have all words of --dialogue, so try fewer" if spoken else "try something else"
        print_note(f"Nothing was found: {hint}, or fewer filters.")


def _thumbnails(library: Searched, hits: Sequence[Hit]) -> list[Path | None]:
    """Return the hits' pictures; where they cannot be written, the answer is shown without them."""
    try:
        return library.thumbnails(hits)
    except SystemFault as error:
        print_note(error.message)
        return [None] * len(hits)


def search(
    text: Annotated[
        str | None, typer.Argument(help="What is seen or said.", metavar="TEXT", show_default=False)
    ] = None,
    visual: Annotated[list[str], typer.Option(help="What is seen.", metavar="TEXT")] = [],  # noqa: B006
    dialogue: Annotated[
        list[str], typer.Option(help="Words that are said; an exact phrase in double quotes.", metavar="TEXT")
    ] = [],  # noqa: B006
    language: Annotated[str | None, typer.Option(help="Language of what is said.", metavar="TAG")] = None,
    kind: Annotated[str | None, typer.Option(help="Kind of cue.", metavar="dialogue|description|chapter")] = None,
    image: Annotated[list[Path], typer.Option(help="Shots like a picture.", metavar="FILE")] = [],  # noqa: B006
    clip: Annotated[list[Path], typer.Option(help="Places like a clip, shot by shot.", metavar="FILE")] = [],  # noqa: B006
    shot: Annotated[list[str], typer.Option(help="Shots like another.", metavar="TITLE@TIMECODE")] = [],  # noqa: B006
    range_: Annotated[list[str], typer.Option("--range", help="Places like others.", metavar="TITLE@FROM-TO")] = [],  # noqa: B006
    where: Annotated[list[str], typer.Option(help="What an algorithm found.", metavar="NAME[.FIELD]=VALUE")] = [],  # noqa: B006
    title: Annotated[list[str], typer.Option(help="Only this title: its id or name.", metavar="TITLE")] = [],  # noqa: B006
    series: Annotated[list[str], typer.Option(help="Only this series.", metavar="NAME")] = [],  # noqa: B006
    season: Annotated[list[int], typer.Option(help="Only this season.", metavar="NUMBER")] = [],  # noqa: B006
    genre: Annotated[list[str], typer.Option(help="Only this genre.", metavar="NAME")] = [],  # noqa: B006
    year: Annotated[list[str], typer.Option(help="Only this year or range.", metavar="YEAR[-YEAR]")] = [],  # noqa: B006
    character: Annotated[list[str], typer.Option(help="Only with this character.", metavar="NAME")] = [],  # noqa: B006
    talent: Annotated[list[str], typer.Option(help="Only with this talent.", metavar="NAME")] = [],  # noqa: B006
    group_by: Annotated[str | None, typer.Option(help="The best of each.", metavar="title|series")] = None,
    sort: Annotated[str, typer.Option(help="Order of the hits.", metavar="score|time|NAME.FIELD[:desc]")] = "score",
    limit: Annotated[int, typer.Option(help="Most hits.", metavar="NUMBER")] = 20,
    score: Annotated[str | None, typer.Option(help="A score of one's own.", metavar="NAME")] = None,
    query: Annotated[str | None, typer.Option(help="The whole question, as JSON.", metavar="JSON|@FILE")] = None,
    as_of: Annotated[str | None, typer.Option(help="Ask what was served then.", metavar="ID|TIME")] = None,
    server: Server = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Find moments: what is seen, what is said, what algorithms found."""
    with sentences():
        options = Options(
            text=text,
            visual=visual,
            dialogue=dialogue,
            language=language,
            kind=kind,
            image=image,
            clip=clip,
            shot=shot,
            range=range_,
            where=where,
            title=title,
            series=series,
            season=season,
            genre=genre,
            year=year,
            character=character,
            talent=talent,
            group_by=group_by,
            sort=sort,
            limit=limit,
            score=score,
        )
        asked = parse_query(options) if query is None else _said(query, options)
        _answered(server, asked, as_json, as_of)


def _answered(server: str | None, asked: Query, as_json: bool, as_of: str | None) -> None:
    """Ask the server that is named, if any, or the workspace here."""
    from mediaflow.library import open_library

    with client(server) as remote:
        if remote is not None:
            answer(Remote(remote), asked, as_json, snapshot=as_of)
            return
    with open_library() as library:
        answer(library, asked, as_json, snapshot=_past(library, as_of) if as_of is not None else None)


def _said(query: str, options: Options) -> Query:
    """Return the question that is given as JSON, or in a file; `UsageError` where options ask for something too."""
    from mediaflow.search.process.wire import read_query

    plain = vars(Options())
    if any((value or None) != (plain[name] or None) for name, value in vars(options).items()):
        raise UsageError("--query is the whole question: write into it what the other options ask for.")
    try:
        body = json.loads(Path(query[1:]).read_bytes() if query.startswith("@") else query)
    except OSError as error:
        raise UsageError(f"{query[1:]!r} cannot be read ({error.strerror}): check --query.", file=query[1:]) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--query is no JSON: {error}.") from error
    return read_query(body)


def _past(library: Library, wanted: str) -> str:
    """Return the id of the snapshot that an id or a time names, and say which it is."""
    from mediaflow.snapshots.history import as_of

    snapshot, said = as_of(library.releases, wanted)
    print_note(said)
    return snapshot
