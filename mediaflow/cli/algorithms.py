"""`mediaflow algorithms`: what the published snapshot can be asked, with the fields of each algorithm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mediaflow.cli.output import Json, counted, plain, print_columns, print_lines, print_note, sentences
from mediaflow.cli.remote import Server, client


def algorithms(
    name: Annotated[
        str | None, typer.Argument(help="One of them, in full.", metavar="NAME", show_default=False)
    ] = None,
    server: Server = None,
    as_json: Json = False,
) -> None:
    """List the algorithms that can be searched: who owns them, what they find, their fields, and of how many titles."""
    from mediaflow.search.route.fields import no_such_algorithm

    with sentences():
        found = _searchable(server)
        if name is not None:
            there = [one["name"] for one in found]
            found = [one for one in found if one["name"] == name]
            if not found:
                raise no_such_algorithm(name, there)
        if name is not None:
            print(json.dumps(found[0], ensure_ascii=False)) if as_json else _print_one(found[0])
        elif as_json:
            print_lines(found)
        elif found:
            columns = ("name", "owner", "version", "shape", "own fields", "titles", "rows", "description")
            print_columns(columns, [_shown(one) for one in found])
        else:
            print_note("Nothing of the published snapshot can be searched yet: run 'make refresh' or 'make up'.")


def _searchable(server: str | None) -> list[dict[str, Any]]:
    """Return what the server that is named can be asked, or else the snapshot here."""
    from dataclasses import asdict

    from mediaflow.library import open_library

    with client(server) as remote:
        if remote is not None:
            return [asdict(one) for one in remote.algorithms()]
    with open_library() as opened:
        return opened.searchable()


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    own = ", ".join(field["name"] for field in one["fields"] if field["own"])
    return {**one, "own fields": own, "titles": _coverage(one)}


def _coverage(one: Mapping[str, Any]) -> str:
    return f"{one['titles'] - one['pending']} of {one['titles']}"


def _print_one(one: Mapping[str, Any]) -> None:
    print(plain(f"{one['name']}: {one['description']}"))
    print(plain(f"owner: {one['owner']}"))
    print(plain(f"version: {one['version']}"))
    print(plain(f"rows: {counted(one['rows'], one['shape'])}, of {_coverage(one)} titles"))
    if one["model"]:
        print(plain(f"model: {one['model']}"))
    fields = [
        {**field, "field": f"{one['name']}.{field['name']}", "compared by": ", ".join(field["comparisons"])}
        for field in one["fields"]
        if field["own"]
    ]
    if fields:
        print_columns(("field", "type", "compared by"), fields)
