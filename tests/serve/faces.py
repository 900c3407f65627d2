"""The ways to ask: each takes the JSON form of a query, and gives the answer in the form of the service."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Protocol

import grpc
from click.testing import Result
from google.protobuf.json_format import MessageToDict, ParseDict
from typer.testing import CliRunner

from mediaflow.cli.main import app
from mediaflow.client import Client
from mediaflow.errors import MediaflowError
from mediaflow.search.engine import SearchEngine
from mediaflow.search.process.wire import read_query
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from tests.serve.conftest import Server

Answer = dict[str, Any]


class Refused(Exception):
    """A face did not answer; it gave this sentence."""


class Face(Protocol):
    """One way to ask."""

    def search(self, body: Mapping[str, Any]) -> Answer:
        """Return `hits`, and whatever else the face says of the answer; `Refused` where it is none."""
        ...


class Python:
    """The engine, as a program uses it."""

    def __init__(self, engine: SearchEngine) -> None:
        self._engine = engine

    def search(self, body: Mapping[str, Any]) -> Answer:
        try:
            return self._engine.search(read_query(body)).as_json()
        except MediaflowError as error:
            raise Refused(error.message) from error


class Runs(Protocol):
    """A command line."""

    def run(self, command: str, *arguments: str) -> Result: ...


class CommandLine:
    """`mediaflow search --query`, which prints hits and notes alone."""

    def __init__(self, server: Server) -> None:
        self._home = str(server.home)

    def run(self, command: str, *arguments: str) -> Result:
        environment = {"MEDIAFLOW_HOME": self._home, "MEDIAFLOW_VISUAL_MODEL": "demo"}
        return CliRunner().invoke(app, [command, *arguments], env=environment)

    def search(self: Runs, body: Mapping[str, Any]) -> Answer:
        done = self.run("search", "--json", "--query", json.dumps(body))
        if done.exit_code:
            raise Refused(done.stderr.strip())
        hits = [json.loads(line) for line in done.stdout.splitlines()]
        releases = {hit.pop("release") for hit in hits}
        said = {"hits": hits, "notes": done.stderr.splitlines()}
        return said | ({"release": releases.pop()} if releases else {})


class RemoteCommandLine:
    """The same with `--server`, where there is no workspace."""

    def __init__(self, server: Server) -> None:
        self._url = server.url

    def run(self, command: str, *arguments: str) -> Result:
        environment = {"MEDIAFLOW_HOME": "/nowhere", "MEDIAFLOW_SERVER": None}
        return CliRunner().invoke(app, [command, "--server", self._url, *arguments], env=environment)

    search = CommandLine.search


class OverClient:
    """`mediaflow.client`."""

    def __init__(self, server: Server) -> None:
        self.client = Client(server.url)

    def search(self, body: Mapping[str, Any]) -> Answer:
        try:
            return self.client.search(read_query(body)).as_json()
        except MediaflowError as error:
            raise Refused(error.message) from error


class GraphQL:
    """GraphQL over HTTP, with all that there is to select of an answer."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def search(self, body: Mapping[str, Any], after: str | None = None) -> Answer:
        given = {"groupBy": "group_by", "sort": "sort", "first": "limit", "clauses": "clauses", "filters": "filters"}
        given |= {"sortBy": "sort_by", "score": "score"}
        body = ordered(body)
        variables = {name: camel(body[key]) for name, key in given.items() if key in body}
        said = self._server.ask(SEARCH, **variables, after=after)
        if "errors" in said:
            raise Refused(said["errors"][0]["message"])
        answer: Answer = snake(said["data"]["search"])
        return answer


class Grpc:
    """gRPC over a socket."""

    def __init__(self, server: Server) -> None:
        self.stub = stubs.SearchStub(grpc.insecure_channel(server.grpc))

    def search(self, body: Mapping[str, Any], cursor: str | None = None) -> Answer:
        try:
            answer = self.stub.Search(messages.SearchRequest(query=as_message(body), cursor=cursor))
        except grpc.RpcError as error:
            raise Refused(error.details()) from error
        found = as_dict(answer)
        # What is linked is no part of the answer: neither Python nor the command line has paths on a server.
        for hit in found["hits"]:
            hit.pop("thumbnail_url", None)
            hit.pop("preview_url", None)
        return found


def as_message(body: Mapping[str, Any]) -> messages.Query:
    """Return a query as its message, in which lists stand in messages of their own."""
    query: messages.Query = ParseDict(_protoed(ordered(body)), messages.Query())
    return query


def ordered(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a query in which the order of a field has a name of its own, as it has in typed protocols."""
    by = body.get("sort")
    if not isinstance(by, Mapping):
        return dict(body)
    return {name: one for name, one in body.items() if name != "sort"} | {"sort_by": by}


def as_dict(message: Any) -> Answer:
    """Return a message as a dict in which numbers are numbers, and what is not there is left out."""
    plain: Answer = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return numbered(plain)


_WHOLE = (
    *("total", "grouped", "rank", "found", "may_answer", "rows", "pending", "hits", "shot_no", "release"),
    "titles",
)


def numbered(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: numbered(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [numbered(one, name) for one in value]
    return int(value) if (name.endswith("_ms") or name in _WHOLE) and isinstance(value, str) else value


def _protoed(value: Any) -> Any:
    if isinstance(value, list):
        return [_protoed(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    body = {name: _protoed(one) for name, one in value.items()}
    for name in {"all", "any"} & body.keys():
        body[name] = {"clauses": body[name]}
    if "years" in body:
        body["years"] = [{"first": first, "last": last} for first, last in value["years"]]
    return body


def without_nulls(value: Any) -> Any:
    """Return a JSON value without the members that are null, which some faces leave out."""
    if isinstance(value, Mapping):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


_ENUMS = ("group_by", "sort", "presence", "comparison", "relation", "extent")


def camel(value: Any) -> Any:
    """Return the JSON form with the names of GraphQL."""
    if isinstance(value, list):
        return [camel(one) for one in value]
    if isinstance(value, str):
        return value.upper() if value in ("title", "series", "score", "time") else value
    if not isinstance(value, Mapping):
        return value
    body = {}
    for name, one in value.items():
        if name in _ENUMS and isinstance(one, str):
            one = one.upper().replace(" ", "_")
        elif name == "years":
            one = [{"first": first, "last": last} for first, last in one]
        elif isinstance(one, list | Mapping):
            one = camel(one)
        body[re.sub(r"_(\w)", lambda found: found[1].upper(), name)] = one
    return body


def snake(value: Any) -> Any:
    """Return what GraphQL answered with the names of the service."""
    if isinstance(value, list):
        return [snake(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    body = {re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name): snake(one) for name, one in value.items()}
    if "fields" in body:
        # These have the names that the algorithm declares.
        body["fields"] = value["fields"]
    if body.get("match"):
        body["match"] = body["match"].lower().replace("_", " ")
    return body


SEARCH = """
query Ask(
  $clauses: [Clause!]!, $filters: Filters, $groupBy: GroupBy, $sort: Sort, $sortBy: SortBy, $score: String,
  $first: Int, $after: String
) {
  search(
    clauses: $clauses, filters: $filters, groupBy: $groupBy, sort: $sort, sortBy: $sortBy, score: $score,
    first: $first, after: $after
  ) {
    snapshot release notes total counted nextCursor
    hits {
      titleId title startMs endMs score grouped series season episode match snapshot
      sources {
        algorithm generation model revision score startMs endMs clause rank text language speaker
        box { x y w h } fields
      }
    }
  }
}
"""
