"""Whether the code on disk is still the code that this process has loaded."""

from functools import cache
from pathlib import Path

from mediaflow.settings import config_file
from resources.library import open_library

_REPOSITORY = Path(__file__).parent.parent
CHANGED = (
    "The code, an algorithm or mediaflow.toml has changed since it was loaded, and runs would compute something else "
    "than was asked for: reload the code location on the page Deployment, or start 'make up' again."
)


@cache
def loaded() -> int:
    """Return the stamp as it was when this was first called: when definitions were loaded."""
    return stamp()


def stamp() -> int:
    """Return a number that changes with every file that decides what is computed: code, algorithms, settings."""
    files = [*(_REPOSITORY / "mediaflow").rglob("*.py"), config_file()]
    for folder in open_library().settings.algorithm_folders:
        files += folder.glob("*.py")
    return hash(tuple((str(file), file.stat().st_mtime_ns) for file in sorted(files) if file.is_file()))
