"""What all tests share: where the real material is, a store, and a library folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from mediaflow.storage.objects import FolderStore

# Machines are noisy: no example has a deadline. `make soak` tries many more.
settings.register_profile("test", deadline=None, derandomize=True, max_examples=150)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


def examples(share: float) -> settings:
    """Give the settings of a costly property test: this share of the examples that the profile asks for."""
    return settings(max_examples=round(share * settings().max_examples))


ROOT = Path(__file__).parent.parent
# Where tests run side by side: a file that takes long and comes last would be waited for, and the day mostly waits.
BEFORE_ALL_OTHERS = ("deployment/day/", "test_real_material.py", "deployment/test_sensors.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""

    def turn(item: pytest.Item) -> int:
        path = item.path.relative_to(ROOT / "tests").as_posix()
        return next((at for at, start in enumerate(BEFORE_ALL_OTHERS) if path.startswith(start)), sys.maxsize)

    items.sort(key=turn)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests say that they have tried: `record_property("tried", ...)`."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    said = [(report.nodeid, dict(report.user_properties).get("tried")) for report in reports]
    lines = [f"{name}: {tried}" for name, tried in sorted(said) if tried]
    if lines:
        terminalreporter.section("numbers tried")
        for line in dict.fromkeys(lines):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real films, subtitles and broken files; tests that need them are skipped where they are absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is absent: tests on real material need it")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """An empty store in a folder."""
    return FolderStore(tmp_path / "store")
