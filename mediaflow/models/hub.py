"""Fetches one file from the model hub, bounded in time; run in a process of its own, which can be ended.

Run as a script with REPOSITORY CACHE FILE..., it prints JSON objects, one a line: how far the download is, and at last
the path of the first of the files that the repository has, or the reason why there is none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

# A hub that cannot be reached is known at once, a name server that does not answer is not waited for.
REACH_LIMIT_S = 20
DOWNLOAD_LIMIT_S = 1800
_TELL_EVERY_S = 0.5
_QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DOWNLOAD_TIMEOUT": "10",
    "HF_HUB_ETAG_TIMEOUT": "10",
}


class Told(Protocol):
    """Is told how far a download is."""

    def __call__(self, done: int, total: int, /) -> None: ...


def fetch(repository: str, names: tuple[str, ...], cache: Path, told: Told) -> Path:
    """Return a local file from the hub, downloaded unless the cache has it.

    Parameters
    ----------
    repository : str
        `owner/name` on the hub.
    names : tuple of str
        File names in order of preference.
    cache : Path
        Folder that keeps what was downloaded.
    told : callable
        Called with the bytes that are there and the bytes in all, now and then while they come.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        It cannot be had; the message is the reason.
    """
    # -P: the script's own folder must not stand before the libraries.
    command = [sys.executable, "-P", __file__, repository, str(cache), *names]
    environment = {**os.environ, **_QUIET}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout is not None
        answer = _answer(child.stdout, told)
    if child.returncode == -signal.SIGALRM:
        raise OSError("the hub did not answer in time")
    if "path" in answer:
        return Path(answer["path"])
    raise OSError(answer.get("reason", f"the download ended with code {child.returncode}"))


def _answer(lines: IO[str], told: Told) -> dict[str, Any]:
    """Return the last thing that the process says, and pass on what it says on the way."""
    for line in lines:
        try:
            said: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        if "total" not in said:
            return said
        told(said["done"], said["total"])
    return {}


def _download(repository: str, cache: str, names: list[str]) -> str:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import LocalEntryNotFoundError, RemoteEntryNotFoundError

    for name in names:
        try:
            return str(hf_hub_download(repository, name, cache_dir=cache, local_files_only=True))
        except LocalEntryNotFoundError:
            continue
    for name in names:
        signal.alarm(REACH_LIMIT_S)
        try:
            total = get_hf_file_metadata(hf_hub_url(repository, name)).size or 0
        except RemoteEntryNotFoundError:
            continue
        signal.alarm(DOWNLOAD_LIMIT_S)
        with _telling(Path(cache), total):
            return str(hf_hub_download(repository, name, cache_dir=cache))
    raise OSError(f"{repository} has none of the files {', '.join(names)}")


@contextmanager
def _telling(cache: Path, total: int) -> Iterator[None]:
    """Say from time to time how much of the file has come: what is not whole yet has a name of its own."""
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(_TELL_EVERY_S):
            done = sum(file.stat().st_size for file in cache.rglob("*.incomplete"))
            print(json.dumps({"done": min(done, total), "total": total}), flush=True)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    print(json.dumps({"done": total, "total": total}), flush=True)


def _main() -> None:
    repository, cache, *names = sys.argv[1:]
    try:
        answer = {"path": _download(repository, cache, names)}
    except Exception as error:  # noqa: BLE001 - each reason goes to the parent in one line
        answer = {"reason": (str(error).strip() or type(error).__name__).splitlines()[0][:200]}
    print(json.dumps(answer))


if __name__ == "__main__":
    _main()
