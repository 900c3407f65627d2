"""What commands ask of a server instead of the library of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediaflow.errors import UsageError

if TYPE_CHECKING:
    from mediaflow.client import Client
    from mediaflow.search.gateway import Gateway
    from mediaflow.search.query import Query
    from mediaflow.search.results import Hit, Results

# An option of every command that can ask a server.
Server = Annotated[
    str | None,
    typer.Option("--server", help="Ask a server, not what is here.", metavar="URL", show_default=False),
]


@contextmanager
def client(server: str | None) -> Iterator[Client | None]:
    """Give a client of the server that an option or the setting names, None where neither does."""
    from mediaflow.settings import load

    settings = load()
    url = server if server is not None else settings.server
    if url is None:
        yield None
        return
    from mediaflow.client import Client

    with Client(url, settings.key.get_secret_value() if settings.key else None) as opened:
        yield opened


class Remote:
    """What `mediaflow search` needs of a library, from a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def search(self, query: Query) -> Results:
        return self._client.search(query)

    def at(self, snapshot: str) -> Gateway:
        raise UsageError("A server answers from what is current: leave out --as-of, or --server.")

    def thumbnails(self, hits: Sequence[Hit]) -> list[Path | None]:
        # A server writes no files here.
        return [None] * len(hits)
