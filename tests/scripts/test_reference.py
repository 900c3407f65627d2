"""The reference pages are what the schema and the proto file say, with every link to a part that is there."""

from __future__ import annotations

import re

import pytest

from mediaflow.serve.grpc import search_pb2
from scripts.reference import SCHEMA, graphql_page, pages
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize("name", ["graphql.md", "grpc.md"])
def test_a_page_is_what_is_made(name: str, made: dict[str, str]) -> None:
    assert (ROOT / "docs" / name).read_text() == made[name], "say `make reference`"


@pytest.mark.parametrize("name", ["graphql.md", "grpc.md"])
def test_its_links_lead_to_parts_of_it(name: str, made: dict[str, str]) -> None:
    parts = {heading.lower() for heading in re.findall(r"^## (\w+)$", made[name], re.MULTILINE)}
    links = set(re.findall(r"\]\(#(\w+)\)", made[name]))
    assert links and links <= parts


def test_it_has_every_message_and_field(made: dict[str, str]) -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", made["grpc.md"], re.MULTILINE | re.DOTALL))
    for name, message in search_pb2.DESCRIPTOR.message_types_by_name.items():
        for field in message.fields:
            assert f"| {field.number} | `{field.name}` |" in sections[name]
    for method in search_pb2.DESCRIPTOR.services_by_name["Search"].methods:
        assert f"| `{method.name}` |" in sections["Methods"]


def test_a_change_of_the_schema_changes_the_page() -> None:
    schema = SCHEMA.read_text()
    assert "| `counted` | `Boolean!` |" in graphql_page(schema)
    assert "| `counted` | `Int` |" in graphql_page(schema.replace("counted: Boolean!", "counted: Int"))
