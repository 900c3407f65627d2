"""Errors of a client: what a server says, as the type that the Python API raises, and what no server said."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from mediaflow.errors import MediaflowError

# Where each type stands; it is imported once it is raised.
KINDS: Mapping[str, str] = {
    "UsageError": "mediaflow.errors",
    "SystemFault": "mediaflow.errors",
    "NoSuchAlgorithm": "mediaflow.search.route.fields",
    "NoSuchField": "mediaflow.search.route.fields",
    "WrongValue": "mediaflow.search.route.fields",
    "ScoreFailed": "mediaflow.search.scores",
    "WrongCursor": "mediaflow.serve.cursors",
    "WrongLink": "mediaflow.serve.media.links",
    "LinkExpired": "mediaflow.serve.media.links",
    "TooLarge": "mediaflow.serve.http",
    "SnapshotExpired": "mediaflow.snapshots.reader",
    "NothingPublished": "mediaflow.snapshots.reader",
    "EngineNotReady": "mediaflow.snapshots.engine",
    "BehindClient": "mediaflow.snapshots.engine",
    "Busy": "mediaflow.serve.work",
    "TooSlow": "mediaflow.serve.work",
    "Unauthenticated": "mediaflow.serve.caller",
    "Forbidden": "mediaflow.serve.caller",
    "TooMany": "mediaflow.serve.access.rates",
}
RETRIED = ("Busy", "EngineNotReady", "BehindClient")
"""Those that another try may not meet."""


class Unreachable(MediaflowError):
    """No server was reached, or it went away before it had answered."""


class NoAnswer(MediaflowError):
    """The answer was not there within the time limit of the call."""


class ServerError(MediaflowError):
    """The server answered with an error of its own, or with something that no mediaflow says.

    `fields` has its `code`, where it gave one, and its HTTP `status`.
    """


def said(error: Mapping[str, Any], status: int) -> MediaflowError:
    """Return an error as a server tells it: `message`, and `extensions` with its `code` and `fields`."""
    extensions = error.get("extensions") or {}
    code, fields = str(extensions.get("code", "")), dict(extensions.get("fields") or {})
    message = str(error.get("message", "The server gave no reason."))
    if code not in KINDS:
        return ServerError(message, **{**fields, "code": code, "status": status})
    kind: type[MediaflowError] = getattr(importlib.import_module(KINDS[code]), code)
    return kind(message, **fields)
