"""`make up`: what a terminal shows and leaves behind."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from tests.deployment.dev import Dev
from tests.deployment.films import Films
from tests.deployment.place import Place
from tests.deployment.waiting import wait_until


def test_ctrl_c_ends_all_of_it_without_a_trace(tmp_path: Path) -> None:
    place = Place(tmp_path)
    Films(tmp_path / "films").put(place.library, "alpha-2001", seed=1)
    with Dev(place) as dev:
        with urllib.request.urlopen(f"http://127.0.0.1:{dev.port}/", timeout=60) as page:
            assert page.status == 200
        dev.press_ctrl_c()
        wait_until(dev.ended, 60, "all processes have ended")
    said = dev.log.read_text()
    assert f"http://127.0.0.1:{dev.port} (Ctrl-C ends it" in said
    assert "Traceback" not in said, said
