"""From what GraphQL answers to the types of the Python API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mediaflow.search.post.facets import Count
from mediaflow.search.results import Box, Hit, Results, Source

_NUMBERS = ("season", "year")


@dataclass(frozen=True)
class Page(Results):
    """A page of an answer; `next_cursor` asks for the next one, and is None after the last."""

    next_cursor: str | None = None


@dataclass(frozen=True)
class Title:
    """A published title."""

    title_id: str
    title: str
    kind: str | None
    year: int | None
    genres: tuple[str, ...]
    languages: tuple[str, ...]
    series: str | None
    season: int | None
    episode: int | None


@dataclass(frozen=True)
class Field:
    """A field of an algorithm's rows: its author's `own` or of all of its shape, and how it can be compared."""

    name: str
    type: str
    own: bool
    comparisons: tuple[str, ...]


@dataclass(frozen=True)
class Algorithm:
    """An algorithm that can be searched.

    Attributes
    ----------
    name, owner, version, description : str
        What it is, and who answers for it.
    shape : str
        What its rows are: one of `mediaflow.algorithms.contract.Shape`.
    fields : tuple of Field
        Its fields.
    model : str or None
        The name of the model that encodes its queries.
    generation : str
        Of its code, parameters and model.
    rows, pending, titles : int
        How many rows it has, how many titles are published without its newest rows, and how many there are.
    """

    name: str
    owner: str
    version: str
    description: str
    shape: str
    fields: tuple[Field, ...]
    model: str | None
    generation: str
    rows: int
    pending: int
    titles: int


@dataclass(frozen=True)
class Status:
    """Whether a server answers now: the current snapshot and its release, or why not."""

    ready: bool
    snapshot: str | None
    release: int | None
    why: str | None


def page(body: Mapping[str, Any]) -> Page:
    """Return a page of hits."""
    return Page(
        snapshot=body["snapshot"],
        hits=tuple(_hit(one) for one in body["hits"]),
        notes=tuple(body["notes"]),
        total=body["total"],
        counted=body["counted"],
        release=body["release"],
        next_cursor=body["nextCursor"],
    )


def title(body: Mapping[str, Any]) -> Title:
    """Return a title."""
    return Title(**snake(body) | {"genres": tuple(body["genres"]), "languages": tuple(body["languages"])})


def algorithm(body: Mapping[str, Any]) -> Algorithm:
    """Return an algorithm."""
    fields = tuple(Field(**one | {"comparisons": tuple(map(str.lower, one["comparisons"]))}) for one in body["fields"])
    return Algorithm(**snake(body) | {"fields": fields})


def counts(facet: Mapping[str, Any]) -> list[Count]:
    """Return the values of a facet, seasons and years as numbers."""
    kind = int if facet["facet"].lower() in _NUMBERS else str
    return [Count(kind(one["value"]), one["hits"]) for one in facet["values"]]


def annotation(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of an algorithm with all of its columns, as `Gateway.annotations` gives it."""
    shaped = {name: value for name, value in snake(body).items() if name not in ("fields", "box") and value is not None}
    return {**shaped, **(body["box"] or {}), **body["fields"]}


def snake(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an object by the names of the Python API."""
    return {re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name): value for name, value in body.items()}


def _hit(body: Mapping[str, Any]) -> Hit:
    given = snake(body)
    match = given["match"]
    sources = tuple(_source(one) for one in body["sources"])
    return Hit(**given | {"title_no": None, "sources": sources, "match": match and match.lower().replace("_", " ")})


def _source(body: Mapping[str, Any]) -> Source:
    return Source(**snake(body) | {"box": Box(**body["box"]) if body["box"] else None})
