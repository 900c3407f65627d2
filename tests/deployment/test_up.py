"""`make up`: what a terminal shows and leaves behind."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from tests.deployment.dev import Dev
from tests.deployment.films import Films
from tests.deployment.place import ROOT, Place
from tests.deployment.waiting import wait_until


def test_ctrl_c_ends_all_of_it_without_a_trace(tmp_path: Path) -> None:
    place = Place(tmp_path, engine_ttl_s=1)
    with Dev(place) as dev:
        with urllib.request.urlopen(f"http://127.0.0.1:{dev.port}/", timeout=60) as page:
            assert page.status == 200
        # The server beside it answers before anything is published, and then without being started again.
        status, said = ready(dev.search_port)
        assert status == 503 and "Nothing is published yet" in said
        Films(tmp_path / "films").put(place.library, "alpha-2001", seed=1)
        wait_until(lambda: ready(dev.search_port)[0] == 200, 120, "what is published first is served")
        # Of a process that is about to start a run, Dagster itself shows how it was interrupted.
        wait_until(lambda: place.settled("alpha-2001") and dev.idle(), 120, "nothing is left to do")
        dev.press_ctrl_c()
        wait_until(dev.ended, 60, "all processes have ended")
    said = dev.log.read_text()
    assert f"http://127.0.0.1:{dev.port} (Ctrl-C ends it" in said
    assert f"GraphQL answers at http://127.0.0.1:{dev.search_port}/graphql." in said
    assert "Traceback" not in said, said


def ready(port: int) -> tuple[int, str]:
    """Return what a server says of whether it answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class TestUp:
    """`scripts/up.sh`, as far as it goes before Dagster starts."""

    def up(self, place: Place, **env: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "scripts/up.sh"]
        given = {name: value for name, value in (place.env() | env).items() if value}
        return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=60)

    def test_no_library_is_one_sentence(self, tmp_path: Path) -> None:
        done = self.up(Place(tmp_path), MEDIAFLOW_LIBRARY="")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("No library is set: ")

    def test_a_busy_port_is_one_sentence(self, tmp_path: Path) -> None:
        import socket

        with socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen()
            port = str(busy.getsockname()[1])
            done = self.up(Place(tmp_path), PORT=port, SERVE_PORT="0")
            also = self.up(Place(tmp_path / "other"), PORT="0", SERVE_PORT=port)
        assert (done.returncode, done.stdout) == (also.returncode, also.stdout) == (1, "")
        assert "cannot be used" in done.stderr and "make up PORT=" in done.stderr
        assert "cannot be used" in also.stderr and "make up SERVE_PORT=" in also.stderr

    def test_a_home_of_dagster_that_cannot_be_written_is_one_sentence(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        file = tmp_path / "a file"
        file.touch()
        done = place.python("-m", "sensors.prepare", "0", "0", env=place.env() | {"DAGSTER_HOME": str(file)})
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"Dagster's home {file} cannot be written (File exists)")

    def test_dagsters_home_is_made_with_the_settings_of_this_deployment(self, tmp_path: Path) -> None:
        place = Place(tmp_path)
        done = place.python("-m", "sensors.prepare", "0", "0")
        assert done.stdout.strip() == str(place.dagster_home)
        assert (place.dagster_home / "dagster.yaml").read_bytes() == (ROOT / "dagster_home.yaml").read_bytes()
