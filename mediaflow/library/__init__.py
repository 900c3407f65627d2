"""A library: the one object through which the command line, Dagster and programs use mediaflow."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from mediaflow import settings as settings_module
from mediaflow.library.asking import Asking
from mediaflow.library.computing import Computing
from mediaflow.library.importing import Importing


class Library(Computing, Importing, Asking):
    """A library folder, its workspace, and all that can be done with them. Use it in a `with` statement.

    Parameters
    ----------
    settings : Settings
        Where everything is.
    """

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_library(**overrides: Any) -> Library:
    """Open the library that the settings name.

    Parameters
    ----------
    **overrides
        Settings that win over `mediaflow.toml` and the environment.

    Raises
    ------
    UsageError
        A setting is wrong.
    """
    return Library(settings_module.load(**overrides))
