"""Makes Dagster's home with the settings of this deployment: `python -m sensors.prepare PORT SERVE_PORT` first."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from pathlib import Path

import mediaflow
from mediaflow.errors import MediaflowError, SystemFault, UsageError
from mediaflow.library import Library

_SETTINGS = Path(__file__).parent.parent / "dagster_home.yaml"


def prepare_home(library: Library) -> Path:
    """Return Dagster's home (`DAGSTER_HOME`, or `dagster` in the workspace), made if need be and set for Dagster."""
    home = Path(os.environ.get("DAGSTER_HOME") or library.home / "dagster").absolute()
    os.environ["DAGSTER_HOME"] = str(home)
    settings = home / "dagster.yaml"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            if not settings.is_file():
                settings.write_text(_SETTINGS.read_text())
    except OSError as error:
        raise SystemFault(
            f"Dagster's home {home} cannot be written ({error.strerror}): check the folder and its permissions.",
            path=str(home),
        ) from error
    return home


def check_port(port: str, option: str = "PORT=3001") -> None:
    """Raise `UsageError` where nobody can listen on that port of this machine; `option` of `make up` takes another."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still being closed is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except (OSError, OverflowError, ValueError) as error:
            raise UsageError(
                f"The port {port} cannot be used ({error}): is it running already? Take another one: make up {option}."
            ) from error


def main(port: str, search: str) -> int:
    """Print Dagster's home; return 1 after a sentence on what is in the way."""
    try:
        with mediaflow.open() as library:
            library.root  # noqa: B018 - says at once that no library is set
            check_port(port)
            check_port(search, "SERVE_PORT=8001")
            print(prepare_home(library))
    except MediaflowError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
