"""Pictures of hits over HTTP: the right one, kept by browsers, and none of what is gone."""

from __future__ import annotations

import io
from typing import Any

import httpx
import numpy as np
from PIL import Image

from mediaflow.search.query import Dialogue, Query
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.media.links import PERIOD_S, Links
from tests.deployment.waiting import wait_until
from tests.refreshing import refresh
from tests.serve.conftest import Server, stop
from tests.serve.faces import Grpc
from tests.serve.media.conftest import ALPHA, BRAVO, KEY, House, fetched, hits


def error(response: httpx.Response) -> tuple[int, str, str]:
    """Return status, type and sentence."""
    (said,) = response.json()["errors"]
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, said["extensions"]["code"], said["message"]


def test_each_hit_has_the_kept_frame_nearest_to_its_middle(shown: Server, built: House) -> None:
    found = hits(shown)
    assert len({hit["titleId"] for hit in found}) == 3
    with built.open() as library:
        local = {(hit.title_id, hit.start_ms): hit for hit in library.search(Query((Dialogue("the"),), limit=100))}
        for hit in found:
            answer = shown.client.get(shown.url + hit["thumbnailUrl"])
            (path,) = library.thumbnails([local[hit["titleId"], hit["startMs"]]])
            assert path and answer.content == path.read_bytes()
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["cache-control"].startswith("private, max-age=")
            picture = np.asarray(Image.open(io.BytesIO(answer.content)))
            assert picture.shape == (144, 216, 3) and picture.std() > 5


def test_both_protocols_give_the_same_links(shown: Server) -> None:
    found = hits(shown)
    query = messages.Query(clauses=[{"dialogue": {"text": "the"}}], sort="time")
    answer = Grpc(shown).stub.Search(messages.SearchRequest(query=query))
    assert [hit.thumbnail_url for hit in answer.hits] == [hit["thumbnailUrl"] for hit in found]
    assert [hit.preview_url or None for hit in answer.hits] == [hit["previewUrl"] for hit in found]


def test_a_browser_that_has_it_gets_nothing_again(shown: Server) -> None:
    url = shown.url + hits(shown)[0]["thumbnailUrl"]
    first = shown.client.get(url)
    again = shown.client.get(url, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert shown.client.get(url, headers={"if-none-match": '"another"'}).content == first.content
    head = shown.client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(first.content))


def test_what_is_forged_or_expired_is_refused_in_a_sentence(shown: Server) -> None:
    hit = hits(shown)[0]
    path = hit["thumbnailUrl"]
    swapped = path.replace(hit["titleId"], "bravo-2001" if hit["titleId"] == ALPHA else ALPHA)
    for forged in (swapped, path.replace(".jpg", "A.jpg"), "/media/thumbnail/x.jpg"):
        status, kind, said = error(shown.client.get(shown.url + forged))
        assert (status, kind) == (404, "WrongLink") and "no link of this server" in said
    old = Links(KEY, now_s=lambda: 3 * PERIOD_S).thumbnail(of(hit))
    assert error(shown.client.get(shown.url + old))[:2] == (403, "LinkExpired")
    assert shown.client.post(shown.url + path).status_code == 405


def test_a_snapshot_that_is_gone_is_410(shown: Server) -> None:
    path = Links(KEY).thumbnail(of(hits(shown)[0]) | {"snapshot": "00000000000000000009-aaaaaaaa"})
    status, kind, said = error(shown.client.get(shown.url + path))
    assert (status, kind) == (410, "SnapshotExpired") and "not kept any more" in said


def test_links_outlive_the_snapshot_that_answered_and_not_the_title(house: House) -> None:
    server = house.serve(ENGINE_TTL_S=3, PIN_TTL_S=0.2)
    with house.open() as library:
        before = {hit["titleId"]: hit for hit in hits(server)}
        pictures = {title: fetched(server, hit["thumbnailUrl"]).content for title, hit in before.items()}
        cursor = page(server, None)
        house.remove("Bravo")
        refresh(library)
        wait_until(lambda: BRAVO not in {hit["titleId"] for hit in hits(server)}, 30, "it goes over", 0.05)
        # The old snapshot is kept, though no server holds it open any more. (Each question would hold it longer.)
        wait_until(lambda: page(server, cursor) == "SnapshotExpired", 30, "it is let go", 1)
        alpha = fetched(server, before[ALPHA]["thumbnailUrl"])
        assert alpha.content == pictures[ALPHA]
        gone = fetched(server, before[BRAVO]["thumbnailUrl"])
        assert error(gone) == (410, "TitleGone", f"{BRAVO} is not served any more: it was removed since that answer.")
        library.erase(BRAVO)
        expired = fetched(server, before[ALPHA]["thumbnailUrl"])
        assert error(expired)[:2] == (410, "SnapshotExpired")
        again = fetched(server, hits(server, ALPHA)[-1]["thumbnailUrl"])
        assert again.content == pictures[ALPHA]
    assert stop(server) == 0


def page(server: Server, cursor: str | None) -> str:
    """Return the cursor after a page of one hit, or the type of the error."""
    question = """query($after: String) { search(clauses: [{dialogue: {text: "the"}}], first: 1, after: $after) {
        nextCursor } }"""
    answer = server.ask(question, after=cursor)
    return str(
        answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]["search"]["nextCursor"]
    )


def of(hit: dict[str, Any]) -> dict[str, Any]:
    """Return a hit as links are made of it."""
    names = {"snapshot": "snapshot", "title_id": "titleId", "start_ms": "startMs", "end_ms": "endMs"}
    return {name: hit[said] for name, said in names.items()}
