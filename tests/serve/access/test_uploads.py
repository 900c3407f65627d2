"""Hostile pictures and clips, over both faces: each gets hits or a sentence in time, and the next one is answered."""

from __future__ import annotations

import io
import json
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image

from mediaflow.media.pool import Decoded, DecodePool
from mediaflow.search.engine import Gateways, SearchEngine
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.http import MOST_BYTES
from mediaflow.serve.work import LIMIT_S
from tests.media.films import shots, write_film
from tests.search.world import ColourEncoder
from tests.serve.access.library import Library, opened
from tests.serve.process import publish

# Of each kind of real broken files so many: all of them are tried where the decoders themselves are tested.
_OF_A_KIND = 3


class Seeing(ColourEncoder):
    """The encoder that knows colours, of pictures as they are kept of clips."""

    def encode_jpegs(self, jpegs: Sequence[bytes]) -> np.ndarray:
        return self.encode_pictures([np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")) for jpeg in jpegs])


class OneSeeing:
    """Gives it, whatever model is meant."""

    def encoder(self, identity: str) -> Seeing:
        return Seeing()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The harbour, to which pictures and clips are brought that workers in the sandbox decode."""
    store = publish(tmp_path_factory.mktemp("uploads"))
    with DecodePool(2) as pool, opened(store, SearchEngine(store, Gateways(OneSeeing(), pool)), {"all": None}) as one:
        yield one


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", shots([12, 12])).read_bytes()


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "JPEG")
    return out.getvalue()


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """Return a grey PNG that says it is so large, whatever it has."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def endless(frames: int) -> bytes:
    """Return a GIF that plays for ever, and takes long to play once."""
    noise = np.random.default_rng(3).integers(0, 256, (frames, 16, 16), np.uint8)
    first, *others = map(Image.fromarray, noise)
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=others, loop=0, duration=65_000)
    return out.getvalue()


def made(film: bytes) -> dict[str, bytes]:
    return {
        "nothing": b"",
        "text": b"hello",
        "bomb that unpacks to 900 million pixels": png(30_000, 30_000, bytes(30_001 * 300)),
        "says that it is larger than there is": png(2**31 - 1, 2**31 - 1),
        "rows without end": png(8, 8, bytes(60_000_000)),
        "one pixel high": png(60_000, 1, bytes(60_001)),
        "one pixel wide": png(1, 60_000, bytes(2 * 60_000)),
        "no pixel": png(0, 0),
        "gif without end": endless(300),
        "film cut off": film[: len(film) // 2],
        "film without its end": film[:-40],
        "film with holes": film[:200] + bytes(500) + film[700:],
        "film of zeros": film[:32] + bytes(100_000),
        "gzip": zlib.compress(bytes(10**7)),
    }


def by_graphql(library: Library, kind: str, data: bytes) -> str:
    """Return the type of the error, or nothing."""
    query = f"query($file: Upload) {{ search(clauses: [{{similar: {{{kind}: {{file: $file}}}}}}]) {{ total }} }}"
    operations = json.dumps({"query": query, "variables": {"file": None}})
    form = {"operations": operations, "map": '{"0": ["variables.file"]}'}
    told: dict[str, Any] = library.post("all", data=form, files={"0": ("upload", data)}).json()
    return told["errors"][0]["extensions"]["code"] if "errors" in told else ""


def by_grpc(library: Library, kind: str, data: bytes) -> str:
    query = messages.Query(clauses=[{"similar": {kind: {"data": data, "name": "upload"}}}])
    told = library.grpc("all", "Search", messages.SearchRequest(query=query))
    return told[0].name if isinstance(told[0], grpc.StatusCode) else ""


def check(library: Library, files: dict[str, bytes]) -> int:
    """Bring files as pictures and as clips over both faces; return how many were refused."""
    refused = 0
    for name, data in files.items():
        for kind in ("picture", "clip"):
            for ask, wrong in ((by_graphql, "UsageError"), (by_grpc, "INVALID_ARGUMENT")):
                begun_s = time.monotonic()
                said = ask(library, kind, data)
                assert said in ("", wrong), (name, kind, ask.__name__)
                assert time.monotonic() - begun_s < LIMIT_S, (name, kind, ask.__name__)
                refused += bool(said)
    assert by_graphql(library, "picture", jpeg()) == by_grpc(library, "picture", jpeg()) == ""
    return refused


def test_files_that_were_made_to_harm(library: Library, film: bytes) -> None:
    assert by_graphql(library, "clip", film) == by_grpc(library, "clip", film) == ""
    assert check(library, made(film)) > 30


def test_real_broken_files(library: Library, shared_data: Path, record_property: Any) -> None:
    found: dict[str, list[Path]] = {}
    for path in sorted((shared_data / "robust").rglob("*.*")):
        found.setdefault(path.suffix, []).append(path)
    chosen = [path for paths in found.values() for path in paths[:_OF_A_KIND] if path.suffix not in (".tsv", ".md")]
    refused = check(library, {path.name: path.read_bytes() for path in chosen})
    assert refused > 100
    record_property("tried", f"{4 * len(chosen)} uploads, {refused} of them refused")


def test_more_than_a_request_may_have_is_not_looked_at(library: Library) -> None:
    large = bytes(MOST_BYTES + 1)
    assert by_graphql(library, "clip", large) == "TooLarge"
    assert by_grpc(library, "clip", large) == "RESOURCE_EXHAUSTED"


def test_what_decodes_is_what_the_pool_decodes(film: bytes, library: Library) -> None:
    """The clip of two scenes has two shots: what answers here is no twin of a decoder."""
    with DecodePool(1) as pool:
        clip: Decoded = pool.clip(film, "film.mp4")
    assert len(clip.shots) == 2
