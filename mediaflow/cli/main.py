"""The command `mediaflow` and its list of commands; what a command needs is imported when it runs."""

from __future__ import annotations

import typer

from mediaflow.cli import imports, keeping, library, models, pins, releases
from mediaflow.cli.algorithms import algorithms
from mediaflow.cli.evaluate import evaluate
from mediaflow.cli.publish import publish
from mediaflow.cli.search import search
from mediaflow.cli.serve import serve
from mediaflow.cli.why import why

app = typer.Typer(
    name="mediaflow",
    help="Find moments in a media library; see what is kept of it, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(search)
app.command()(algorithms)
app.command()(serve)
app.command()(evaluate)
app.command()(library.status)
app.command()(library.plan)
app.command()(why)
app.command()(library.titles)
app.command()(library.show)
app.command()(library.scan)
app.command()(library.retry)
app.command()(publish)
app.command()(releases.snapshots)
app.command()(releases.diff)
app.command()(releases.rollback)
app.command()(releases.resume)
app.command()(pins.pin)
app.command()(pins.unpin)
app.command()(keeping.gc)
app.command()(keeping.verify)
app.command()(keeping.erase)
app.add_typer(imports.app, name="annotations")
app.add_typer(models.app, name="models")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
