"""Cursors: where the next page of an answer begins, signed, so that nobody can make one or use it elsewhere."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from mediaflow.errors import UsageError

_DIGEST_BYTES = 12
_MOST_CHARACTERS = 1_000


class WrongCursor(UsageError):
    """The cursor was not made here, or belongs to another question."""


@dataclass(frozen=True)
class Place:
    """A place in an answer: the snapshot that gave it, how many hits lie before, and the number of the release."""

    snapshot: str
    offset: int
    release: int | None = None


class Cursors:
    """Makes and reads cursors.

    Parameters
    ----------
    key : str, optional
        What they are signed with; processes that are to go on with each other's pages have the same one. A random one
        where it is not given.
    """

    def __init__(self, key: str | None = None) -> None:
        self._signer = URLSafeSerializer(key or secrets.token_hex(32), salt="mediaflow.cursor")

    def write(self, place: Place, question: Any) -> str:
        """Return the cursor of a place in the answer to a question, which is any JSON value."""
        return str(self._signer.dumps([place.snapshot, _digest(question), place.offset, place.release]))

    def read(self, cursor: str, question: Any) -> Place:
        """Return the place that a cursor names; `WrongCursor` where it is forged, or of another question."""
        snapshot, digest, offset, release = self._said(cursor)
        if digest != _digest(question):
            raise WrongCursor(
                "That cursor belongs to another question: a further page is asked for with the same clauses, filters,"
                " order and page size."
            )
        return Place(snapshot, offset, release)

    def snapshot(self, cursor: str) -> str | None:
        """Return the snapshot that a cursor names, of whatever question; None where it is forged."""
        try:
            return str(self._said(cursor)[0])
        except WrongCursor:
            return None

    def _said(self, cursor: str) -> list[Any]:
        if len(cursor) > _MOST_CHARACTERS or not cursor.isascii():
            raise _foreign()
        try:
            said: list[Any] = self._signer.loads(cursor)
        except BadSignature as error:
            raise _foreign() from error
        return said


def _foreign() -> WrongCursor:
    return WrongCursor(
        "That is no cursor of this server: give the one that came with the page before, as it is, or ask without one."
    )


def _digest(question: Any) -> str:
    body = json.dumps(question, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()
