"""The paths that links lead to: `/media/thumbnail/TOKEN.jpg` and `/media/preview/TOKEN.mp4`."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mediaflow.errors import MediaflowError
from mediaflow.serve.media.extracts import Extracts, NoPicture, TitleGone
from mediaflow.serve.media.links import THUMBNAIL, LinkExpired, Links, WrongLink
from mediaflow.serve.work import Busy, TooSlow, Work
from mediaflow.snapshots.reader import SnapshotExpired

# A browser asks again after so long: a title that is removed meanwhile is not shown for much longer.
FRESH_S = 300
_STATUSES: tuple[tuple[type[MediaflowError], int], ...] = (
    (WrongLink, 404),
    (LinkExpired, 403),
    (NoPicture, 404),
    (TitleGone, 410),
    (SnapshotExpired, 410),
    (Busy, 503),
    (TooSlow, 504),
)
_TOKEN = "{token}"


@dataclass(frozen=True)
class Media:
    """What shows hits: links to pictures and previews, and what they lead to."""

    links: Links
    extracts: Extracts


def routes(media: Media, work: Work) -> list[Route]:
    """Return the routes; what blocks is done in `work`."""

    async def thumbnail(request: Request) -> Response:
        extract = media.links.read(request.path_params["token"])
        jpeg = await work.do(media.extracts.thumbnail, extract)
        tag = f'"{hashlib.blake2b(jpeg, digest_size=12).hexdigest()}"'
        headers = {"cache-control": f"private, max-age={FRESH_S}", "etag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(jpeg, headers=headers, media_type="image/jpeg")

    return [Route(THUMBNAIL.format(_TOKEN), _told(thumbnail))]


def _told(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Answer errors with their sentence."""

    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except MediaflowError as error:
            status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 503)
            extensions = {"code": type(error).__name__, "fields": {}}
            return JSONResponse({"errors": [{"message": error.message, "extensions": extensions}]}, status)

    return told
