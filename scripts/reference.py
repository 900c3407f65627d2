"""Writes the reference of both protocols: `python -m scripts.reference` makes docs/graphql.md and docs/grpc.md anew.

What stands there is what the schema and the proto file say of themselves.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from graphql import (
    DefinitionNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    StringValueNode,
    TypeNode,
    parse,
    print_ast,
)

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "mediaflow" / "serve" / "graphql" / "schema.graphql"
PROTO = "mediaflow/serve/grpc/search.proto"
_BUILT_IN = ("String", "Int", "Float", "Boolean", "ID")
_KINDS = {
    ObjectTypeDefinitionNode: "type",
    InputObjectTypeDefinitionNode: "input",
    InterfaceTypeDefinitionNode: "interface",
    EnumTypeDefinitionNode: "enum",
    ScalarTypeDefinitionNode: "scalar",
}
Row = tuple[str, ...]


def pages() -> dict[str, str]:
    """Return the pages by their file names."""
    return {"graphql.md": graphql_page(SCHEMA.read_text()), "grpc.md": grpc_page(_described())}


def graphql_page(schema: str) -> str:
    """Return the page of a GraphQL schema."""
    parts = [
        "# GraphQL",
        "Every type and field of the schema, in the order in which it has them; `make reference` writes this page. How"
        " to ask stands in [serve](serve.md), what clauses mean in [the query model](query.md). Beside these, the"
        " schema of a snapshot has types for [the own fields](types.md) of its algorithms.",
    ]
    for one in parse(schema).definitions:
        if type(one) in _KINDS:
            parts += _type(one)
    return "\n\n".join(parts) + "\n"


def _type(one: DefinitionNode) -> Iterator[str]:
    name = one.name.value  # type: ignore[attr-defined]
    yield f"## {name}"
    chosen = any(directive.name.value == "oneOf" for directive in one.directives or ())  # type: ignore[attr-defined]
    kind = _KINDS[type(one)] + (", of which exactly one member is given" if chosen else "")
    said = _said(one.description)  # type: ignore[attr-defined]
    yield f"*{kind}*" + (f": {said}" if said else "")
    if isinstance(one, EnumTypeDefinitionNode):
        yield _table(("value", "what it means"), ((f"`{v.name.value}`", _said(v.description)) for v in one.values))
    elif not isinstance(one, ScalarTypeDefinitionNode):
        rows = (row for field in one.fields for row in _field(field))  # type: ignore[attr-defined]
        yield _table(("field", "type", "what it is"), rows)


def _field(field: FieldDefinitionNode | InputValueDefinitionNode) -> Iterator[Row]:
    name = field.name.value
    yield f"`{name}`", _typed(field), _said(field.description)
    for given in field.arguments if isinstance(field, FieldDefinitionNode) else ():
        yield f"`{name}({given.name.value}:)`", _typed(given), _said(given.description)


def _typed(field: FieldDefinitionNode | InputValueDefinitionNode) -> str:
    written, default = print_ast(field.type), getattr(field, "default_value", None)
    if default is not None:
        written += f" = {print_ast(default)}"
    inner: TypeNode = field.type
    while isinstance(inner, ListTypeNode | NonNullTypeNode):
        inner = inner.type
    name = print_ast(inner)
    return f"`{written}`" if name in _BUILT_IN else f"[`{written}`](#{name.lower()})"


def _said(description: StringValueNode | None) -> str:
    return " ".join(description.value.split()) if description else ""


def grpc_page(file: FileDescriptorProto) -> str:
    """Return the page of a proto file that has its comments."""
    comments = {tuple(one.path): " ".join(one.leading_comments.split()) for one in file.source_code_info.location}
    (service,) = file.service
    methods = (
        (
            f"`{method.name}`",
            _message(method.input_type, False),
            _message(method.output_type, method.server_streaming),
            comments.get((6, 0, 2, at), ""),
        )
        for at, method in enumerate(service.method)
    )
    parts = [
        "# gRPC",
        f"The service `{file.package}.{service.name}` and its messages, in the order of the proto file;"
        " `make reference` writes this page. How to ask stands in [serve](serve.md#ask-over-grpc), what clauses mean in"
        " [the query model](query.md).",
        "## Methods",
        _table(("method", "takes", "gives", "what it does"), methods),
    ]
    for at, message in enumerate(file.message_type):
        parts += [f"## {message.name}", comments.get((4, at), "")]
        rows = [
            (str(field.number), f"`{field.name}`", _kind(field, message), comments.get((4, at, 2, place), ""))
            for place, field in enumerate(message.field)
        ]
        parts += [_table(("number", "field", "type", "what it is"), rows)] if rows else ["It has no fields."]
    return "\n\n".join(part for part in parts if part) + "\n"


def _kind(field: FieldDescriptorProto, message: DescriptorProto) -> str:
    plain = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    named = _message(field.type_name, False) if field.type == FieldDescriptorProto.TYPE_MESSAGE else f"`{plain}`"
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {named}"
    if field.proto3_optional:
        return f"optional {named}"
    return f"{named}, one of `{message.oneof_decl[field.oneof_index].name}`" if field.HasField("oneof_index") else named


def _message(name: str, stream: bool) -> str:
    """Return a link to a message of the page, or the name of one that is elsewhere."""
    package, _, short = name.removeprefix(".").rpartition(".")
    shown = f"`{package}.{short}`" if package.startswith("google.") else f"[`{short}`](#{short.lower()})"
    return f"a stream of {shown}" if stream else shown


def _table(header: Sequence[str], rows: Iterable[Row]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in (header, *rows)]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:]])


def _described() -> FileDescriptorProto:
    """Return the proto file as its compiler reads it, with comments."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        options = ["--include_source_info", f"--descriptor_set_out={made}", "-I", ".", PROTO]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *options], cwd=ROOT, check=True)
        (file,) = FileDescriptorSet.FromString(made.read_bytes()).file
    return file


if __name__ == "__main__":
    for name, page in pages().items():
        (ROOT / "docs" / name).write_text(page)
