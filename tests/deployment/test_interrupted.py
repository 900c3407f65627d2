"""`python -m sensors` that is interrupted or killed: what it says, and that the next one goes on."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.deployment.films import Films
from tests.deployment.place import Place
from tests.deployment.waiting import wait_until

ALPHA = "alpha-2001"
INTERRUPTED = 130

# Fails on every title, and says when it is at work.
_SLOW = """
import threading
from pathlib import Path

from mediaflow.algorithms.contract import Algorithm, Shape


class Slow(Algorithm):
    name = "slow"
    version = "1"
    owner = "team:patience"
    inputs = ("cues",)
    shape = Shape.LABEL

    def run(self, batch):
        (Path(__file__).parent / "at work").touch()
        threading.Event().wait()
"""


class TestInterrupted:
    """Ctrl-C and a kill while a run is at work."""

    @pytest.fixture
    def place(self, tmp_path: Path, films: Films) -> Place:
        place = Place(tmp_path)
        films.put(place.library, ALPHA, seed=0)
        (place.algorithms / "brightness.py").unlink()
        (place.algorithms / "slow.py").write_text(_SLOW)
        return place

    def start(self, place: Place) -> subprocess.Popen[str]:
        process = place.start_refresh()
        sign = place.algorithms / "at work"
        wait_until(lambda: sign.exists() or process.poll() is not None, 120, "the algorithm is at work")
        assert process.poll() is None, process.communicate()
        sign.unlink()
        return process

    def test_ctrl_c_ends_with_a_sentence_and_a_killed_run_is_taken_up_again(self, place: Place) -> None:
        killed = self.start(place)
        killed.kill()
        killed.communicate()
        process = self.start(place)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == INTERRUPTED, output + errors
        assert errors.splitlines()[-1] == "Stopped. What was finished is kept; run it again to go on."
