"""From the types of the Python API to GraphQL: documents, and queries as their variables."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mediaflow.search.process.wire import write_query
from mediaflow.search.query import Query, SimilarToClip, SimilarToPicture

_ENUMS = ("group_by", "sort", "presence", "comparison", "relation", "extent")
_FILES: dict[str, type[SimilarToPicture] | type[SimilarToClip]] = {"picture": SimilarToPicture, "clip": SimilarToClip}
_ASKED = """
  $clauses: [Clause!]!, $filters: Filters, $groupBy: GroupBy, $sort: Sort, $sortBy: SortBy, $score: String, $first: Int
"""
_GIVEN = """
  clauses: $clauses, filters: $filters, groupBy: $groupBy, sort: $sort, sortBy: $sortBy, score: $score, first: $first
"""

SEARCH = f"""
query Search({_ASKED}, $after: String) {{
  search({_GIVEN}, after: $after) {{
    snapshot release notes total counted nextCursor
    hits {{
      titleId title startMs endMs score grouped series season episode match snapshot
      sources {{
        algorithm generation model revision score startMs endMs clause rank text language speaker
        box {{ x y w h }} fields
      }}
    }}
  }}
}}
"""
FACETS = f"""
query Facets({_ASKED}, $of: [Facet!]!, $most: Int) {{
  search({_GIVEN}) {{ release facets(of: $of, most: $most) {{ facet values {{ value hits }} }} }}
}}
"""
TIMELINE = f"""
query Timeline({_ASKED}, $title: String!, $bins: Int) {{
  search({_GIVEN}) {{ release timeline(title: $title, bins: $bins) {{ startMs endMs hits score }} }}
}}
"""
CHARACTERS = f"""
query Characters({_ASKED}, $most: Int) {{
  search({_GIVEN}) {{
    release characters(most: $most) {{ speakers {{ titleId speaker hits startMs endMs score }} }}
  }}
}}
"""
EXPLAIN = f"""
query Explain({_ASKED}) {{
  explain({_GIVEN}) {{
    release steps {{ clause asked algorithm how mayAnswer found cut least byChance cpuMs }}
  }}
}}
"""
TITLES = """
query Titles($filters: Filters, $first: Int, $after: String) {
  titles(filters: $filters, first: $first, after: $after) {
    release nextCursor titles { titleId title kind year genres languages series season episode }
  }
}
"""
ANNOTATIONS = """
query Annotations(
  $title: String!, $startMs: Int!, $endMs: Int, $algorithms: [String!], $first: Int, $after: String
) {
  annotations(
    title: $title, startMs: $startMs, endMs: $endMs, algorithms: $algorithms, first: $first, after: $after
  ) {
    release nextCursor
    rows { algorithm startMs endMs revision shotNo text label confidence score box { x y w h } fields }
  }
}
"""
ALGORITHMS = """
query Algorithms {
  algorithms {
    release algorithms {
      name owner version description shape fields { name type own comparisons } model generation rows pending titles
    }
  }
}
"""
STATUS = "query Status { status { ready snapshot release why } }"


@dataclass
class Asked:
    """Variables of a document, and the files that stand in them."""

    variables: dict[str, Any]
    files: list[tuple[str, str, bytes]] = field(default_factory=list)


def asked(query: Query, **further: Any) -> Asked:
    """Return a query as variables, with further ones; pictures and clips are files."""
    made = Asked({})
    body = write_query(query)
    body["first"] = query.limit
    body.pop("limit", None)
    if isinstance(body.get("sort"), Mapping):
        body["sort_by"] = body.pop("sort")
    made.variables = _graphql(body, "variables", made.files) | further
    return made


def enum(name: str) -> str:
    """Return a name as GraphQL writes it."""
    return name.upper().replace(" ", "_")


def _graphql(value: Any, path: str, files: list[tuple[str, str, bytes]]) -> Any:
    """Return a part of the JSON form of queries as GraphQL has it, and put its files into `files`."""
    if isinstance(value, list):
        return [_graphql(one, f"{path}.{at}", files) for at, one in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    body: dict[str, Any] = {}
    for name, one in value.items():
        called = re.sub(r"_(\w)", lambda found: found[1].upper(), name)
        here = f"{path}.{called}"
        if name in _ENUMS and isinstance(one, str):
            body[called] = enum(one)
        elif name == "value" and "algorithm" in value:
            # What a row of an algorithm is compared with is a text in GraphQL, which reads as a number where it is one.
            body[called] = str(one)
        elif name == "years":
            body[called] = [{"first": first, "last": last} for first, last in one]
        elif name in _FILES and isinstance(one, Mapping):
            body[called] = _file(name, one, here, files)
        else:
            body[called] = _graphql(one, here, files)
    return body


def _file(kind: str, given: Mapping[str, Any], path: str, files: list[tuple[str, str, bytes]]) -> dict[str, Any]:
    name = given.get("name", _FILES[kind].name)
    files.append((f"{path}.file", name, base64.b64decode(given.get("data", ""))))
    rest = {key: one for key, one in given.items() if key != "data"}
    return rest | {"name": name, "file": None}
