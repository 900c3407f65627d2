"""Links to the picture and the preview of a hit: signed, so that nobody can make one, and good for a while.

A link is a path without a host: it leads to whichever server the browser asks, and all that share `cursor_key` can
read it. To make one takes a signature and no look at any table. What it may show was decided when it was signed, for
somebody who might see the title.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadSignature, Signer

from mediaflow.errors import UsageError

THUMBNAIL, PREVIEW = "/media/thumbnail/{}.jpg", "/media/preview/{}.mp4"
PERIOD_S = 1800
"""A link made within one such period is always the same, and expires with the end of the next one."""

# Neither ids nor numbers have it, and a path may have it as it is.
_BETWEEN = "~"
_MOST_CHARACTERS = 600


class WrongLink(UsageError):
    """The link was not made here."""


class LinkExpired(UsageError):
    """The link was made here, and its time is over."""


@dataclass(frozen=True)
class Extract:
    """What a link shows: a range of a title, as a snapshot has it."""

    snapshot: str
    title_id: str
    start_ms: int
    end_ms: int


class Links:
    """Makes and reads links.

    Parameters
    ----------
    key : str, optional
        What they are signed with, as for `mediaflow.serve.cursors.Cursors`.
    previews : bool
        Whether previews can be cut here: the films are at hand.
    now_s : callable
        The time of day, in seconds since 1970: other machines read it too.
    """

    def __init__(self, key: str | None = None, previews: bool = True, now_s: Callable[[], float] = time.time) -> None:
        self._signer = Signer(
            key or secrets.token_hex(32), salt="mediaflow.media", sep=_BETWEEN, digest_method=hashlib.sha256
        )
        self._previews = previews
        self._now_s = now_s

    def thumbnail(self, hit: Mapping[str, Any]) -> str:
        """Return the link to the picture of a hit, which is in the form of `Hit.as_json`."""
        return THUMBNAIL.format(self._token(hit))

    def preview(self, hit: Mapping[str, Any]) -> str | None:
        """Return the link to the preview of a hit; None where none is cut here."""
        return PREVIEW.format(self._token(hit)) if self._previews else None

    def both(self, hit: Mapping[str, Any]) -> dict[str, str | None]:
        """Return both links as `thumbnail_url` and `preview_url`; they share what is signed."""
        token = self._token(hit)
        return {
            "thumbnail_url": THUMBNAIL.format(token),
            "preview_url": PREVIEW.format(token) if self._previews else None,
        }

    def read(self, token: str) -> Extract:
        """Return what a link shows.

        Raises
        ------
        WrongLink, LinkExpired
            It was not made with this key, or it is too old.
        """
        if len(token) > _MOST_CHARACTERS or not token.isascii():
            raise _foreign()
        try:
            said = self._signer.unsign(token).decode()
        except BadSignature as error:
            raise _foreign() from error
        snapshot, title_id, start_ms, end_ms, until = said.split(_BETWEEN)
        if int(until) * PERIOD_S <= self._now_s():
            raise LinkExpired("This link has expired: ask the question again, its hits come with new ones.")
        return Extract(snapshot, title_id, int(start_ms), int(end_ms))

    def _token(self, hit: Mapping[str, Any]) -> str:
        until = int(self._now_s()) // PERIOD_S + 2
        parts = (hit["snapshot"], hit["title_id"], hit["start_ms"], hit["end_ms"], until)
        return self._signer.sign(_BETWEEN.join(map(str, parts))).decode()


def _foreign() -> WrongLink:
    return WrongLink("That is no link of this server: take the one that comes with a hit, as it is.")
