"""The paths that links lead to: `/media/thumbnail/TOKEN.jpg` and `/media/preview/TOKEN.mp4`."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from mediaflow.errors import MediaflowError, TitleError
from mediaflow.library.opened import Opened
from mediaflow.search.engine import SearchEngine
from mediaflow.serve.access.requests import refusal
from mediaflow.serve.media.extracts import Extracts, NoPicture, TitleGone
from mediaflow.serve.media.films import FilmChanged
from mediaflow.serve.media.links import PREVIEW, THUMBNAIL, LinkExpired, Links, WrongLink
from mediaflow.serve.media.previews import Previews
from mediaflow.serve.work import Busy, TooSlow, Work
from mediaflow.snapshots.reader import SnapshotExpired

# A browser asks again after so long: a title that is removed meanwhile is not shown for much longer.
FRESH_S = 300
_STATUSES: tuple[tuple[type[MediaflowError], int], ...] = (
    (WrongLink, 404),
    (LinkExpired, 403),
    (NoPicture, 404),
    (TitleError, 404),
    (TitleGone, 410),
    (FilmChanged, 410),
    (SnapshotExpired, 410),
    (Busy, 503),
    (TooSlow, 504),
)
_TOKEN = "{token}"


@dataclass(frozen=True)
class Media:
    """What shows hits: links to pictures and previews, and what they lead to; no previews where no films are."""

    links: Links
    extracts: Extracts
    previews: Previews | None = None

    @classmethod
    def of(cls, library: Opened, engine: SearchEngine, key: str | None) -> Media:
        """Return what shows the hits of a library; `key` signs links."""
        extracts = Extracts(engine, library.store)
        films = library.settings.library is not None
        return cls(Links(key, previews=films), extracts, Previews(extracts, library) if films else None)

    def close(self) -> None:
        """Wait for what is being cut."""
        if self.previews:
            self.previews.close()


def routes(media: Media, work: Work) -> list[Route]:
    """Return the routes; what blocks is done in `work`, and cuts in threads of their own."""

    async def thumbnail(request: Request) -> Response:
        extract = media.links.read(request.path_params["token"])
        jpeg = await work.do(media.extracts.thumbnail, extract)
        headers = _headers(hashlib.blake2b(jpeg, digest_size=12).hexdigest())
        return _known(request, headers) or Response(jpeg, headers=headers, media_type="image/jpeg")

    async def preview(request: Request) -> Response:
        extract = media.links.read(request.path_params["token"])
        if media.previews is None:
            raise NoPicture("This server has no films at hand, so it cuts no previews: set 'library' where it runs.")
        found = await media.previews.preview(extract, work)
        headers = _headers(found.tag)
        return _known(request, headers) or FileResponse(
            found.path, headers=headers, media_type="video/mp4", stat_result=found.facts
        )

    return [Route(THUMBNAIL.format(_TOKEN), _told(thumbnail)), Route(PREVIEW.format(_TOKEN), _told(preview))]


def _headers(tag: str) -> dict[str, str]:
    return {"cache-control": f"private, max-age={FRESH_S}", "etag": f'"{tag}"'}


def _known(request: Request, headers: dict[str, str]) -> Response | None:
    """Return the answer to a browser that has it already; None to others."""
    known = headers["etag"] in request.headers.get("if-none-match", "")
    return Response(status_code=304, headers=headers) if known else None


def _told(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Answer errors with their sentence."""

    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except MediaflowError as error:
            status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 503)
            return refusal(error, status, {})

    return told
