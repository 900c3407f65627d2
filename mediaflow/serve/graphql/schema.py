"""The GraphQL schema over the service: its fields call it, its names become those of the JSON form."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ariadne import ObjectType, QueryType, convert_schema_names, load_schema_from_path, upload_scalar
from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, assert_enum_type, assert_valid_schema, build_schema
from starlette.datastructures import UploadFile

from mediaflow.errors import MediaflowError, UsageError
from mediaflow.search.post.facets import FACETS
from mediaflow.serve.bodies import as_query, as_wire
from mediaflow.serve.graphql.own import named
from mediaflow.serve.graphql.scalars import SCALARS
from mediaflow.serve.media.links import Links
from mediaflow.serve.service import Service
from mediaflow.serve.watch.record import asked, failed, request_id
from mediaflow.serve.work import Work

_FILE = Path(__file__).with_name("schema.graphql")
_ENUMS = {
    "GroupBy": ("title", "series"),
    "Sort": ("score", "time"),
    "Facet": FACETS,
    "Presence": ("speaks", "in cast"),
    "Comparison": ("equals", "least", "most", "contains"),
    "Relation": ("overlap", "within", "before", "after", "during"),
    "Extent": ("union", "intersection"),
    "SpaceRelation": ("same_frame", "left_of", "above"),
    "InRegion": ("overlaps", "inside"),
}
# Under this an answer holds its question, for the fields that are worked out from it.
_ASKED = "asked"
_TEXT = load_schema_from_path(str(_FILE))
STATIC = frozenset(build_schema(_TEXT).type_map)
"""Names of the types that every snapshot's schema has."""

_LOG = logging.getLogger(__name__)


def make_schema(work: Work, more: str = "", links: Links | None = None) -> GraphQLSchema:
    """Return the schema, whose fields call in threads the service that the context of a request holds.

    Parameters
    ----------
    work : Work
        The threads.
    more : str
        Types beside those of the file, in the schema language.
    links : Links, optional
        Gives hits their pictures.
    """
    query = QueryType()

    @query.field("search")
    async def search(_: Any, info: GraphQLResolveInfo, after: str | None = None, **given: Any) -> dict[str, Any]:
        body = await _query(given)
        return await work.do(_service(info).search, body, after) | {_ASKED: body}

    @query.field("explain")
    async def explain(_: Any, info: GraphQLResolveInfo, **given: Any) -> dict[str, Any]:
        return await work.do(_service(info).explain, await _query(given))

    @query.field("titles")
    async def titles(
        _: Any, info: GraphQLResolveInfo, filters: Any = None, first: int | None = None, after: str | None = None
    ) -> dict[str, Any]:
        page = {} if first is None else {"limit": first}
        return await work.do(_service(info).titles, as_wire(filters), cursor=after, **page)

    @query.field("annotations")
    async def annotations(_: Any, info: GraphQLResolveInfo, after: str | None = None, **given: Any) -> dict[str, Any]:
        part = _given(given, first="limit")
        return await work.do(_service(info).annotations, cursor=after, **part)

    @query.field("algorithms")
    async def algorithms(_: Any, info: GraphQLResolveInfo) -> dict[str, Any]:
        return named(await work.do(_service(info).algorithms), info.context["own"])

    @query.field("status")
    async def status(_: Any, info: GraphQLResolveInfo) -> dict[str, Any]:
        return await work.do(_service(info).status)

    hit = ObjectType("Hit")
    if links:
        hit.set_field("thumbnailUrl", lambda one, _: links.thumbnail(one))
        hit.set_field("previewUrl", lambda one, _: links.preview(one))
    return _bound(more, query, _answer(work), hit)


def _answer(work: Work) -> ObjectType:
    """Return the fields of an answer that are worked out where they are asked for, in the snapshot of its hits."""
    answer = ObjectType("Answer")

    @answer.field("facets")
    async def facets(page: dict[str, Any], info: GraphQLResolveInfo, **given: Any) -> list[dict[str, Any]]:
        told = await work.do(_service(info).facets, page[_ASKED], beside=page, **_given(given))
        return list(told["facets"])

    @answer.field("timeline")
    async def timeline(page: dict[str, Any], info: GraphQLResolveInfo, **given: Any) -> list[dict[str, Any]]:
        told = await work.do(_service(info).timeline, page[_ASKED], beside=page, **_given(given))
        return list(told["timeline"])

    @answer.field("characters")
    async def characters(page: dict[str, Any], info: GraphQLResolveInfo, **given: Any) -> dict[str, Any]:
        told = await work.do(_service(info).characters, page[_ASKED], beside=page, **_given(given))
        return dict(told["characters"])

    return answer


def format_error(error: GraphQLError, debug: bool = False) -> dict[str, Any]:
    """Return an error as it is answered: its sentence, its type as `code`, its fields, and never a trace."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        error, cause = cause, cause.original_error
    body: dict[str, Any] = dict(error.formatted)
    if isinstance(cause, MediaflowError):
        fields = json.loads(json.dumps(cause.fields, default=str))
        return body | {"message": cause.message, "extensions": _extensions(type(cause).__name__, fields)}
    if cause is None or error.path is None:
        return body | {"extensions": _extensions(UsageError.__name__, {})}
    _LOG.error("A field could not be answered.", exc_info=cause)
    sentence = "This could not be answered, by a fault of the server: its log says more."
    return body | {"message": sentence, "extensions": _extensions("InternalError", {})}


def _extensions(code: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    failed(code)
    return {"code": code, "fields": fields, "requestId": request_id()}


def _service(info: GraphQLResolveInfo) -> Service:
    service: Service = info.context["service"]
    if info.parent_type is info.schema.query_type:
        asked(info.field_name)
    return service


def _given(given: Mapping[str, Any], **called: str) -> dict[str, Any]:
    """Return arguments without those that are null, some of them under other names."""
    return {called.get(name, name): value for name, value in given.items() if value is not None}


def _bound(more: str, *types: ObjectType) -> GraphQLSchema:
    """Return the schema of the file, and of more, with the fields of some types.

    Ariadne's `make_executable_schema` would do the same, but its enums do not parse variables with graphql-core from
    3.2.14 on.
    """
    schema = build_schema(f"{_TEXT}\n{more}")
    for one in types:
        one.bind_to_schema(schema)
    for scalar in (upload_scalar, *SCALARS):
        scalar.bind_to_schema(schema)
    for name, values in _ENUMS.items():
        enum = assert_enum_type(schema.type_map[name])
        for value in values:
            enum.values[value.upper().replace(" ", "_")].value = value
    convert_schema_names(schema, None)
    assert_valid_schema(schema)
    return schema


async def _query(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a search as the JSON form of a query."""
    body = dict(given)
    if "first" in body:
        body["limit"] = body.pop("first")
    return as_query(await _with_files(body))


async def _with_files(value: Any) -> Any:
    """Return a value in which uploaded files have become the bytes of pictures."""
    if isinstance(value, list):
        return [await _with_files(one) for one in value] if value and isinstance(value[0], Mapping) else value
    if not isinstance(value, Mapping):
        return value
    if value.get("file") is not None:
        return await _uploaded(value)
    return {name: await _with_files(one) for name, one in value.items()}


async def _uploaded(picture: Mapping[str, Any]) -> dict[str, Any]:
    file = picture["file"]
    if not isinstance(file, UploadFile):
        raise UsageError("'file' takes a file of a multipart request; give bytes in base64 as 'data'.")
    if picture.get("data") is not None:
        raise UsageError("A picture or clip is given as 'file' or as 'data', not as both.")
    rest = {name: one for name, one in picture.items() if name not in ("file", "data")}
    return {**({"name": file.filename} if file.filename else {}), **rest, "data": await file.read()}
