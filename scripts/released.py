"""Compares the GraphQL schema and the proto file with those of the last release: `python -m scripts.released`.

A client that was written for the last release must be understood by the next one. So what is there may get more
members, but nothing of it may go, or become something else. `--record` keeps the present ones as those of a release.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc_tools
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from graphql import GraphQLSchema, build_schema
from graphql.utilities import find_breaking_changes
from grpc_tools import protoc

ROOT = Path(__file__).parent.parent
RELEASED = ROOT / "released"
PRESENT = (ROOT / "mediaflow/serve/graphql/schema.graphql", ROOT / "mediaflow/serve/grpc/search.proto")
_KINDS = FieldDescriptorProto.Type


def main(arguments: list[str]) -> int:
    """Compare, or record; return the exit code."""
    if arguments == ["--record"]:
        RELEASED.mkdir(exist_ok=True)
        for path in PRESENT:
            shutil.copy(path, RELEASED / path.name)
        print("The present schema and proto are those of the last release now.")
        return 0
    found = list(broken(RELEASED, *PRESENT))
    for sentence in found:
        print(sentence)
    if found:
        print("Put back what clients of the last release rely on, beside what is new.")
    return bool(found)


def broken(released: Path, schema: Path, proto: Path) -> Iterator[str]:
    """Yield a sentence for all that clients of the last release would miss.

    Parameters
    ----------
    released : Path
        Folder of the last released files, of the same names.
    schema, proto : Path
        The present ones.
    """
    before, now = _schema(released / schema.name), _schema(schema)
    for change in find_breaking_changes(before, now):
        yield f"GraphQL: {change.description.rstrip('.')}."
    for sentence in _of_file(_proto(released / proto.name), _proto(proto)):
        yield f"gRPC: {sentence}"


def _schema(path: Path) -> GraphQLSchema:
    return build_schema(path.read_text())


def _proto(path: Path) -> FileDescriptorProto:
    """Return what the compiler reads in a proto file."""
    own = str(Path(grpc_tools.__file__).with_name("_proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        arguments = ["protoc", f"-I{path.parent}", f"-I{own}", f"--descriptor_set_out={out}", str(path)]
        if protoc.main(arguments):
            raise SystemExit(f"{path} is no proto file: its compiler says why above.")
        (file,) = FileDescriptorSet.FromString(out.read_bytes()).file
    return file


def _of_file(before: FileDescriptorProto, now: FileDescriptorProto) -> Iterator[str]:
    if before.package != now.package:
        yield f"The package {before.package} became {now.package}."
    yield from _of_messages(before.message_type, now.message_type, "")
    yield from _of_enums(before.enum_type, now.enum_type, "")
    services = _named(now.service)
    for service in before.service:
        if service.name not in services:
            yield f"The service {service.name} was removed."
            continue
        methods = _named(services[service.name].method)
        for method in service.method:
            name = f"{service.name}.{method.name}"
            if method.name not in methods:
                yield f"The method {name} was removed."
            elif _call(method) != _call(methods[method.name]):
                yield f"The method {name} changed from {_call(method)} to {_call(methods[method.name])}."


def _of_messages(before: Any, now: Any, within: str) -> Iterator[str]:
    there: Mapping[str, DescriptorProto] = _named(now)
    for message in before:
        name = f"{within}{message.name}"
        if message.name not in there:
            yield f"The message {name} was removed."
            continue
        other = there[message.name]
        yield from _of_messages(message.nested_type, other.nested_type, f"{name}.")
        yield from _of_enums(message.enum_type, other.enum_type, f"{name}.")
        fields = {field.number: field for field in other.field}
        for field in message.field:
            at = f"{name}.{field.name} (number {field.number})"
            if field.number not in fields:
                yield f"The field {at} was removed."
            elif fields[field.number].name != field.name:
                yield f"The field {at} was renamed to {fields[field.number].name}."
            elif _field(field, message) != _field(fields[field.number], other):
                said = f"{_field(field, message)} to {_field(fields[field.number], other)}"
                yield f"The field {at} changed its type from {said}."


def _of_enums(before: Any, now: Any, within: str) -> Iterator[str]:
    there: Mapping[str, EnumDescriptorProto] = _named(now)
    for enum in before:
        if enum.name not in there:
            yield f"The enum {within}{enum.name} was removed."
            continue
        values = {value.name: value.number for value in there[enum.name].value}
        for value in enum.value:
            if values.get(value.name) != value.number:
                yield f"The value {within}{enum.name}.{value.name} ({value.number}) was removed or changed."


def _named(several: Any) -> dict[str, Any]:
    return {one.name: one for one in several}


def _call(method: MethodDescriptorProto) -> str:
    given = f"{'stream ' if method.client_streaming else ''}{method.input_type.lstrip('.')}"
    return f"{given} -> {'stream ' if method.server_streaming else ''}{method.output_type.lstrip('.')}"


def _field(field: FieldDescriptorProto, message: DescriptorProto) -> str:
    """Say what a field is: `repeated`, `optional`, or one of several, and its type."""
    kind = field.type_name.lstrip(".") or _KINDS.Name(field.type).removeprefix("TYPE_").lower()
    how = "repeated " if field.label == FieldDescriptorProto.LABEL_REPEATED else ""
    if field.proto3_optional:
        return f"optional {kind}"
    one_of = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
    return f"{how}{kind}{f' of oneof {one_of}' if one_of else ''}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
