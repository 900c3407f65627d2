"""Previews over HTTP: the right part of the right film, in ranges, cut once, and never of other bytes."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaflow.library import Library
from mediaflow.search.engine import SearchEngine
from mediaflow.search.query import Dialogue, Filters, Query
from mediaflow.serve.media.extracts import Extracts, TitleGone
from mediaflow.serve.media.films import FilmChanged, Films
from mediaflow.serve.media.links import Extract
from mediaflow.serve.media.previews import FOLDER, Cache, Previews
from mediaflow.serve.work import Work
from mediaflow.settings import load
from tests.deployment.films import Films as Rendered
from tests.deployment.waiting import wait_until
from tests.refreshing import compute, refresh
from tests.serve.conftest import Server, stop
from tests.serve.media.conftest import ALPHA, BRAVO, CHARLIE, House, hits
from tests.serve.media.test_thumbnails import error


def pictures(film: bytes) -> list[NDArray[np.uint8]]:
    with av.open(io.BytesIO(film)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_preview_shows_its_hit(shown: Server, built: House) -> None:
    hit = hits(shown, ALPHA)[0]
    answer = shown.client.get(shown.url + hit["previewUrl"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert answer.headers["accept-ranges"] == "bytes"
    found = pictures(answer.content)
    # The film has three seconds, less than a preview at least.
    (path,) = built.films.glob("Alpha*.mp4")
    film = pictures(path.read_bytes())
    assert len(found) == len(film) == 33
    assert max(np.abs(one.astype(int) - other).mean() for one, other in zip(found, film, strict=True)) < 8
    assert shown.client.get(shown.url + hit["previewUrl"]).content == answer.content


def test_parts_of_it_can_be_asked_for(shown: Server) -> None:
    url = shown.url + hits(shown, ALPHA)[0]["previewUrl"]
    whole = shown.client.get(url)
    tag, size = whole.headers["etag"], len(whole.content)

    def part(**headers: str) -> httpx.Response:
        return shown.client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})

    first = part(range="bytes=0-99")
    assert (first.status_code, first.content) == (206, whole.content[:100])
    assert first.headers["content-range"] == f"bytes 0-99/{size}" and first.headers["etag"] == tag
    assert part(range="bytes=-50").content == whole.content[-50:]
    assert part(range=f"bytes={size - 10}-").content == whole.content[-10:]
    beyond = part(range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert part(range="bytes=5-9", if_range=tag).content == whole.content[5:10]
    other = part(range="bytes=5-9", if_range='"another"')
    assert (other.status_code, other.content) == (200, whole.content)
    assert part(if_none_match=tag).status_code == 304
    head = shown.client.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))


def test_where_no_films_are_there_is_no_link(built: House, shown: Server) -> None:
    path = hits(shown)[0]["previewUrl"]
    server = built.serve(LIBRARY="")
    assert {hit["previewUrl"] for hit in hits(server)} == {None}
    assert error(server.client.get(server.url + path))[:2] == (404, "NoPicture")
    assert stop(server) == 0


class Counting(Library):
    """A library that counts what is cut, and waits with it where it is told to."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.cuts: list[Path] = []
        self.go = threading.Event()
        self.go.set()

    def pool(self) -> Any:
        return self

    def preview(self, path: Path, start_ms: int, end_ms: int) -> bytes:
        self.cuts.append(path)
        assert self.go.wait(60)
        return super().pool().preview(path, start_ms, end_ms)

    def __enter__(self) -> Counting:
        return self


class Shown:
    """A library, an engine over it, and what shows its hits, in this process."""

    def __init__(self, house: House, library: Counting, engine: SearchEngine) -> None:
        self.house, self.library, self.engine = house, library, engine
        self.extracts = Extracts(engine, library.store)
        self.films = Films(self.extracts, library)
        self.previews = Previews(self.extracts, library)
        self.work = Work(threads=8)

    def extract(self, title: str, number: int = 0) -> Extract:
        query = Query((Dialogue("the"),), Filters(titles=(title,)), sort="time")
        hit = list(self.engine.search(query))[number]
        return Extract(hit.snapshot, hit.title_id, hit.start_ms, hit.end_ms)

    def preview(self, extract: Extract) -> bytes:
        return asyncio.run(self.previews.preview(extract, self.work)).path.read_bytes()

    def file(self, title: str) -> Path:
        (path,) = self.house.films.glob(f"{title.split('-')[0].capitalize()}*.mp4")
        return path

    def publish(self) -> None:
        with self.house.open() as library:
            refresh(library)
            new = library.releases.current().id
        wait_until(lambda: self.extract(ALPHA).snapshot == new, 30, "the engine goes over", 0.05)


@pytest.fixture
def here(house: House) -> Iterator[Shown]:
    settings = {"home": house.home, "library": house.films, "settle_s": 0, "built_in": ["dialogue"]}
    with (
        Counting(load(**settings, engine_ttl_s=3, decode_workers=2)) as library,
        library.engine() as engine,
    ):
        shown = Shown(house, library, engine)
        yield shown
        library.go.set()
        shown.work.close()
        shown.previews.close()


def test_many_who_ask_at_once_wait_for_one_cut(here: Shown) -> None:
    alpha, bravo = here.extract(ALPHA), here.extract(BRAVO)

    async def all_at_once() -> list[bytes]:
        wanted = [alpha, bravo] * 6
        found = await asyncio.gather(*(here.previews.preview(one, here.work) for one in wanted))
        return [one.path.read_bytes() for one in found]

    films = asyncio.run(all_at_once())
    assert len(here.library.cuts) == 2
    assert set(films[::2]) == {films[0]} and set(films[1::2]) == {films[1]} and films[0] != films[1]
    assert here.preview(alpha) == films[0] and len(here.library.cuts) == 2


def test_who_goes_away_does_not_stop_it_for_the_others(here: Shown) -> None:
    alpha = here.extract(ALPHA)
    here.library.go.clear()

    async def one_leaves() -> int:
        first = asyncio.create_task(here.previews.preview(alpha, here.work))
        second = asyncio.create_task(here.previews.preview(alpha, here.work))
        async with asyncio.timeout(30):
            while not here.library.cuts:
                await asyncio.sleep(0.01)
        first.cancel()
        here.library.go.set()
        return (await second).facts.st_size

    assert asyncio.run(one_leaves()) > 1000
    assert len(here.library.cuts) == 1


def test_beyond_those_that_may_wait_the_server_is_busy(here: Shown) -> None:
    extracts = [here.extract(title) for title in (ALPHA, BRAVO, CHARLIE)]
    previews = Previews(here.extracts, here.library, waiting=1)
    here.library.go.clear()

    async def three() -> list[Any]:
        asked = [asyncio.create_task(previews.preview(one, here.work)) for one in extracts]
        async with asyncio.timeout(30):
            while not any(one.done() for one in asked):
                await asyncio.sleep(0.01)
        here.library.go.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(three())
    assert sorted(type(one).__name__ for one in answers) == ["Busy", "Preview", "Preview"]
    previews.close()


def test_a_film_that_is_touched_is_the_same_and_one_that_is_changed_is_not(here: Shown) -> None:
    alpha, bravo, charlie = (here.extract(title) for title in (ALPHA, BRAVO, CHARLIE))
    # The same bytes at another time: they are read.
    os.utime(here.file(ALPHA), (1, 1))
    assert pictures(here.preview(alpha))
    # Other bytes of the same size at the same time as before, but for a nanosecond.
    path, facts = here.file(BRAVO), here.file(BRAVO).stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    with pytest.raises(FilmChanged, match="bravo-2001 is not the one of that answer any more"):
        here.preview(bravo)
    here.file(CHARLIE).unlink()
    with pytest.raises(FilmChanged, match="charlie-2001"):
        here.preview(charlie)
    assert len(here.library.cuts) == 1


def test_a_film_that_is_replaced_while_it_is_cut_is_not_shown(here: Shown) -> None:
    alpha, path = here.extract(ALPHA), here.file(ALPHA)
    here.library.go.clear()

    def replace() -> None:
        wait_until(lambda: here.library.cuts, 30, "it is cut", 0.01)
        other = path.with_suffix(".new")
        other.write_bytes(path.read_bytes())
        other.replace(path)
        here.library.go.set()

    thread = threading.Thread(target=replace)
    thread.start()
    with pytest.raises(FilmChanged):
        here.preview(alpha)
    thread.join()
    assert pictures(here.preview(alpha)), "its bytes are the same: who asks again gets it"


def test_a_snapshot_of_another_film_of_the_title_shows_none(here: Shown, tmp_path: Path) -> None:
    before = here.extract(BRAVO)
    Rendered(tmp_path).put(here.house.films, BRAVO, seed=7)
    with here.house.open() as library:
        compute(library)
    # The catalogue knows the new film, and nothing is published yet.
    with pytest.raises(FilmChanged):
        here.preview(before)
    here.publish()
    with pytest.raises(FilmChanged):
        here.preview(before)
    after = here.extract(BRAVO)
    film = pictures(here.file(BRAVO).read_bytes())
    assert np.abs(pictures(here.preview(after))[3].astype(int) - film[3]).mean() < 8


def test_a_title_that_is_removed_is_not_shown_though_it_was_cut(here: Shown) -> None:
    alpha, bravo = here.extract(ALPHA), here.extract(BRAVO)
    here.preview(alpha)
    here.preview(bravo)
    folder = here.library.cache / FOLDER
    assert sorted(path.name.rsplit("-", 1)[0] for path in folder.iterdir()) == [ALPHA, BRAVO]
    here.house.remove("Bravo")
    here.publish()
    with pytest.raises(TitleGone):
        here.preview(bravo)
    with here.house.open() as library:
        library.erase(BRAVO)
    assert [path.name.rsplit("-", 1)[0] for path in folder.iterdir()] == [ALPHA]


def test_a_film_in_two_files_is_cut_out_of_the_right_one(here: Shown, tmp_path: Path) -> None:
    rendered = Rendered(tmp_path)
    for part, seed in ((1, 4), (2, 5)):
        film = rendered.render("delta-2003", seed=seed)
        (here.house.films / f"Delta (2003) - cd{part}.mp4").write_bytes(film.read_bytes())
    here.publish()
    snapshot = here.extract(ALPHA).snapshot
    extracts = [Extract(snapshot, "delta-2003", start_ms, start_ms + 700) for start_ms in (300, 3300)]
    places = [here.films.place(extract) for extract in extracts]
    assert [place.file.path for place in places] == [f"Delta (2003) - cd{part}.mp4" for part in (1, 2)]
    assert [place.start_ms for place in places] == [0, 0] and all(2000 < place.end_ms <= 4000 for place in places)
    film = pictures((here.house.films / "Delta (2003) - cd2.mp4").read_bytes())
    found = pictures(here.preview(extracts[1]))
    assert np.abs(found[30].astype(int) - film[30]).mean() < 8


def test_the_cache_keeps_what_was_used_last(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "previews", 250)
    for name in ("a.mp4", "b.mp4"):
        path, facts = cache.put(name, bytes(100))
        assert (path.read_bytes(), facts.st_size) == (bytes(100), 100)
    assert cache.get("a.mp4") and cache.get("c.mp4") is None
    cache.put("c.mp4", bytes(100))
    assert cache.get("b.mp4") is None and cache.get("a.mp4") and cache.get("c.mp4")
    cache.put("large.mp4", bytes(1000))
    assert [path.name for path in (tmp_path / "previews").iterdir()] == ["large.mp4"]
    assert cache.size() == 1000
    digest = hashlib.sha256((tmp_path / "previews" / "large.mp4").read_bytes()).hexdigest()
    assert digest == hashlib.sha256(bytes(1000)).hexdigest()
