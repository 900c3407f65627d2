"""Fetches one file from the model hub, bounded in time; run in a process of its own, which can be ended.

Run as a script with REPOSITORY CACHE FILE..., it prints one JSON object: the path of the first of the files
that the repository has, or the reason why there is none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

# A hub that cannot be reached is known at once, a name server that does not answer is not waited for.
REACH_LIMIT_S = 20
DOWNLOAD_LIMIT_S = 1800
_QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DOWNLOAD_TIMEOUT": "10",
    "HF_HUB_ETAG_TIMEOUT": "10",
}


def fetch(repository: str, names: tuple[str, ...], cache: Path) -> Path:
    """Return a local file from the hub, downloaded unless the cache has it.

    Parameters
    ----------
    repository : str
        `owner/name` on the hub.
    names : tuple of str
        File names in order of preference.
    cache : Path
        Folder that keeps what was downloaded.

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
    done = subprocess.run(command, env={**os.environ, **_QUIET}, capture_output=True, text=True, check=False)
    if done.returncode == -signal.SIGALRM:
        raise OSError("the hub did not answer in time")
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise OSError(f"the download ended with code {done.returncode}") from error
    if "path" in answer:
        return Path(answer["path"])
    raise OSError(answer["reason"])


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
            get_hf_file_metadata(hf_hub_url(repository, name))
        except RemoteEntryNotFoundError:
            continue
        signal.alarm(DOWNLOAD_LIMIT_S)
        return str(hf_hub_download(repository, name, cache_dir=cache))
    raise OSError(f"{repository} has none of the files {', '.join(names)}")


def _main() -> None:
    repository, cache, *names = sys.argv[1:]
    try:
        answer = {"path": _download(repository, cache, names)}
    except Exception as error:  # noqa: BLE001 - each reason goes to the parent in one line
        answer = {"reason": (str(error).strip() or type(error).__name__).splitlines()[0][:200]}
    print(json.dumps(answer))


if __name__ == "__main__":
    _main()
