"""The default model from its hub: a hub that answers (here, on this machine), and one that does not."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

DEFAULT = "ViT-B-32/laion2b_s34b_b79k"
REPOSITORY = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
ENSURE = """
import sys
from pathlib import Path
from mediaflow.errors import AlgorithmError
from mediaflow.models.registry import ModelRegistry
from mediaflow.storage.objects import FolderStore
folder = Path(sys.argv[1])
registry = ModelRegistry(FolderStore(folder / "store"), folder / "cache")
told = []
try:
    record = registry.ensure(sys.argv[2], lambda *step: told.append(step))
    fetched = [(done, total) for step, done, total in told if step == "fetching"]
    print(list(dict.fromkeys(step for step, *_ in told)), fetched[-1], all(done <= total for done, total in fetched))
    print(record.architecture, record.dim, *record.image_size, registry.find(sys.argv[2]) == record)
    print(*registry.encoder(record.identity).encode_texts(["a cat", "a dog"]).shape)
except AlgorithmError as error:
    print(error.message)
"""


def ensure(folder: Path, hub: str) -> subprocess.CompletedProcess[str]:
    """Ensure the default model in another process, for which `hub` is the hub."""
    environment = {**os.environ, "HF_ENDPOINT": hub, "HF_HOME": str(folder / "home"), "NO_PROXY": "*"}
    command = [sys.executable, "-c", ENSURE, str(folder), DEFAULT]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def weights() -> Iterator[Path]:
    """Weights of an untrained ViT-B-32, in half precision."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    state = {key: value.half() for key, value in open_clip.create_model("ViT-B-32").state_dict().items()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "open_clip_model.safetensors"
        save_file(state, file)
        yield file


@pytest.fixture
def local_hub(weights: Path) -> Iterator[str]:
    """A hub on this machine that has the one file."""
    with weights.open("rb") as stream:
        etag = hashlib.file_digest(stream, "sha256").hexdigest()

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(b"")

        def do_GET(self) -> None:
            self.answer(weights.read_bytes())

        def answer(self, body: bytes) -> None:
            known = self.path == f"/{REPOSITORY}/resolve/main/{weights.name}" or self.path.endswith(weights.name)
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(weights.stat().st_size if known else 0))
            self.send_header("ETag", f'"{etag}"')
            self.send_header("X-Repo-Commit", "0" * 40)
            if not known:
                self.send_header("X-Error-Code", "EntryNotFound")
            self.end_headers()
            if known:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_default_model_is_fetched_taken_in_and_used(local_hub: str, weights: Path) -> None:
    size = weights.stat().st_size
    with tempfile.TemporaryDirectory() as temporary:
        done = ensure(Path(temporary), local_hub)
        told = f"['fetching', 'reading', 'loading', 'copying'] ({size}, {size}) True"
        assert done.stdout.splitlines() == [told, "ViT-B-32 512 224 224 True", "2 512"], done.stderr
        assert done.stderr == ""


def test_a_hub_out_of_reach_is_said_at_once_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: each connection is refused
        started = time.monotonic()
        done = ensure(tmp_path, f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert time.monotonic() - started < 60
    assert done.returncode == 0 and done.stderr == ""
    (sentence,) = done.stdout.splitlines()
    assert sentence.startswith(f"The model '{DEFAULT}' cannot be had: its weights cannot be fetched from the hub (")
    assert "MEDIAFLOW_VISUAL_MODEL=demo" in sentence


def test_a_repository_without_the_file_is_said(local_hub: str, tmp_path: Path) -> None:
    from mediaflow.models import hub

    command = [sys.executable, "-P", hub.__file__, "owner/name", str(tmp_path), "other.bin", "another.bin"]
    environment = {**os.environ, "HF_ENDPOINT": local_hub, "NO_PROXY": "*"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"reason": "owner/name has none of the files other.bin, another.bin"}
