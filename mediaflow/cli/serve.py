"""`mediaflow serve`: answers searches over GraphQL and gRPC."""

from __future__ import annotations

from typing import Annotated

import typer

from mediaflow.cli.output import sentences
from mediaflow.serve.watch.log import Form, set_up


def serve(
    host: Annotated[
        str, typer.Option(help="An address of this machine; one that others reach takes keys.", metavar="HOST")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of GraphQL; 0: any that is free.", metavar="NUMBER")] = 8000,
    grpc_port: Annotated[
        int | None, typer.Option(help="Port of gRPC; 0: any that is free.", metavar="NUMBER", show_default=False)
    ] = None,
    auth: Annotated[
        bool | None,
        typer.Option(help="Whether a key is needed; without it once there is one.", show_default=False),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A name by which it is asked, such as films.example.", metavar="HOST", show_default=False),
    ] = None,
    log: Annotated[Form, typer.Option(help="How requests are logged on stderr: json, text or off.")] = Form.JSON,
) -> None:
    """Answer searches over GraphQL, and over gRPC where it has a port, until the process is told to end."""
    from mediaflow.library import open_library
    from mediaflow.serve.access import audit
    from mediaflow.serve.access.door import Door, own
    from mediaflow.serve.access.keys import Keys
    from mediaflow.serve.access.rates import Rates
    from mediaflow.serve.cursors import Cursors
    from mediaflow.serve.media.routes import Media
    from mediaflow.serve.server import Address, serve

    def said(sentence: str) -> None:
        print(sentence, flush=True)

    with sentences(), open_library() as library:
        set_up(log)
        settings, secret = library.settings, library.settings.cursor_key
        key = secret.get_secret_value() if secret else None
        wanted = settings.auth if auth is None else auth
        rates = Rates(settings.rate_per_minute, settings.open_rate_per_minute)
        door = Door(Keys(library.store), True if wanted is None and not own(host) else wanted, rates)
        address = Address(host, port, grpc_port, (*settings.host_names, *(name or ())))
        engine = library.engine()
        media = Media.of(library, engine, key)
        with audit.kept(library.home):
            serve(engine, Cursors(key), address, said, door, media)
