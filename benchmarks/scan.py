"""What a scan of an unchanged library costs: `python -m benchmarks.scan [titles]` prints CPU seconds as a table."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks._claims import Claim, tell
from mediaflow.catalog.hashes import HashMemory
from mediaflow.catalog.scan import scan
from mediaflow.catalog.titles import Catalog, update
from mediaflow.storage.objects import FolderStore

ACTOR = "<actor><name>Talent {0}</name><role>Character {0}</role><order>{0}</order></actor>"
CAST = "".join(ACTOR.format(number) for number in range(15))


def lay_out(root: Path, titles: int) -> None:
    """Make films in their folders (two subtitles, an `.nfo`, a poster) and, for a fifth, episodes of series."""
    for number in range(titles):
        if number % 5:
            folder, stem, kind = root / f"Film {number} (1999)", f"Film {number} (1999)", "movie"
        else:
            series = f"Show {number // 100}"
            folder, stem, kind = root / series / "Season 01", f"{series} - S01E{number:04d}", "episodedetails"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{stem}.mkv").write_text(f"bytes of title {number}")
        (folder / f"{stem}.en.srt").write_text(f"words of title {number}")
        (folder / f"{stem}.de.srt").write_text(f"Worte von Titel {number}")
        (folder / f"{stem}.jpg").write_text("")
        (folder / f"{stem}.nfo").write_text(f"<{kind}><title>Title {number}</title><plot>Of it.</plot>{CAST}</{kind}>")


def measure(name: str, library: Path, folder: Path) -> float:
    """Load, scan and update as a process of its own would; print what each took and return it all."""
    start = time.process_time()
    catalog = Catalog.load(FolderStore(folder / "store"))
    loaded = time.process_time()
    with HashMemory(folder / "memory") as memory:
        now_ms = time.time_ns() // 1_000_000
        found = scan(library, catalog, memory, settle_s=0, loss_limit=0.2, now_ms=now_ms)
    scanned = time.process_time()
    change = update(catalog, found)
    updated = time.process_time()
    written = change.catalog.n - catalog.n
    times = (loaded - start, scanned - loaded, updated - scanned, updated - start)
    print(f"{name:24}" + "".join(f"{seconds:9.3f}" for seconds in times) + f"{written:9}")
    return updated - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="?", type=int, default=1000)
    titles = parser.parse_args().titles
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = folder / "library"
        lay_out(library, titles)
        print(
            f"{titles} titles; CPU s".ljust(24)
            + "".join(f"{each:>9}" for each in ("load", "scan", "update", "all", "entries"))
        )
        measure("first", library, folder)
        measure("nothing changed", library, folder)
        unchanged = measure("nothing changed again", library, folder)
        (library / "Film 1 (1999)" / "Film 1 (1999).en.srt").write_text("other words")
        measure("one subtitle changed", library, folder)
        tell(Claim(f"scan of {titles} titles, nothing changed, CPU s", unchanged, unchanged))


if __name__ == "__main__":
    main()
