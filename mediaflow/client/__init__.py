"""A client of `mediaflow serve`: asks a server over GraphQL, in the types of the Python API."""

from __future__ import annotations

from mediaflow.client.client import Client
from mediaflow.client.errors import NoAnswer, ServerError, Unreachable
from mediaflow.client.reading import Algorithm, Field, Page, Status, Title
from mediaflow.client.transport import Retries

__all__ = [
    "Algorithm",
    "Client",
    "Field",
    "NoAnswer",
    "Page",
    "Retries",
    "ServerError",
    "Status",
    "Title",
    "Unreachable",
]
