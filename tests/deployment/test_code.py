"""A code location that has been loaded, and the files behind it that change then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resources.code import CHANGED
from tests.deployment.films import Films
from tests.deployment.place import BRIGHTNESS, ROOT, Place

TITLE = "alpha-2001"

# As Dagster's code server does: definitions are loaded once, sensors are evaluated again and again.
_SERVER = f"""
import sys

import dagster as dg

from definitions import defs
from resources.library import LibraryResource

repository = defs.get_repository_def()
sensor = repository.get_sensor_def("refresh")
with dg.DagsterInstance.ephemeral() as instance:
    instance.add_dynamic_partitions("titles", ["{TITLE}"])
    for whose in sys.stdin:
        library = LibraryResource(own_process=whose.strip() == "own")
        with dg.build_sensor_context(
            instance=instance, repository_def=repository, sensor_name="refresh", resources={{"library": library}}
        ) as context:
            tick = sensor.evaluate_tick(context)
        print(bool(tick.run_requests), tick.skip_message, flush=True)
"""


class Server:
    """A process that has loaded the definitions of a deployment."""

    def __init__(self, place: Place, root: Path) -> None:
        command = [sys.executable, "-c", _SERVER]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=root, env=place.env(), stdin=pipe, stdout=pipe, text=True)

    def refresh(self, whose: str = "another") -> str:
        """Return what the sensor `refresh` says, for runs in another process or in its own."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(whose, file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.communicate(timeout=60)


ASKS = "True None"
TOLD = f"False {CHANGED}"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment whose code may be changed."""
    root = tmp_path_factory.mktemp("code")
    for folder in ("assets", "resources", "sensors", "mediaflow"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("model", "__pycache__"))
    for file in ("definitions.py", "dagster_home.yaml"):
        shutil.copy2(ROOT / file, root / file)
    return root


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, films: Films) -> Place:
    """A library with a title of which nothing is computed yet."""
    place = Place(tmp_path_factory.mktemp("changed"))
    films.put(place.library, TITLE, seed=0)
    place.view.scan()
    return place


@pytest.fixture(scope="module")
def server(place: Place, root: Path) -> Iterator[Server]:
    server = Server(place, root)
    yield server
    server.close()


def _touch(file: Path) -> Callable[[], None]:
    before = file.stat()
    os.utime(file)
    return lambda: os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _add(file: Path) -> Callable[[], None]:
    file.write_text(BRIGHTNESS.replace('"brightness"', '"contrast"'))
    return file.unlink


def _move(file: Path) -> Callable[[], None]:
    away = file.with_suffix(".away")
    file.rename(away)

    def back() -> None:
        away.rename(file)

    return back


CHANGES: dict[str, Callable[[Place, Path], Callable[[], None]]] = {
    "an algorithm changes": lambda place, root: _touch(place.algorithms / "brightness.py"),
    "an algorithm comes": lambda place, root: _add(place.algorithms / "contrast.py"),
    "an algorithm goes": lambda place, root: _move(place.algorithms / "brightness.py"),
    "the settings change": lambda place, root: _touch(place.config),
    "the code changes": lambda place, root: _touch(root / "mediaflow" / "media" / "shots.py"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_run_is_asked_for_while_the_code_is_another_than_what_was_loaded(
    change: Callable[[Place, Path], Callable[[], None]], server: Server, place: Place, root: Path
) -> None:
    assert server.refresh() == ASKS
    back = change(place, root)
    try:
        assert server.refresh() == TOLD
        # A run in this very process would be computed by the code that was loaded: there is nothing to wait for.
        assert server.refresh("own") == ASKS
    finally:
        back()
    assert server.refresh() == ASKS


def test_a_process_that_loads_the_changed_code_asks_again(server: Server, place: Place, root: Path) -> None:
    back = _touch(place.algorithms / "brightness.py")
    try:
        assert server.refresh() == TOLD
        reloaded = Server(place, root)
        assert reloaded.refresh() == ASKS
        reloaded.close()
    finally:
        back()
