"""A library folder to play with: files of a known age, a catalogue in a real store, a memory that can be lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from mediaflow.catalog.found import Scan
from mediaflow.catalog.hashes import HashMemory
from mediaflow.catalog.records import TitleRecord
from mediaflow.catalog.scan import scan
from mediaflow.catalog.titles import Catalog, Change, update
from mediaflow.storage.objects import FolderStore

NOW_MS = 1_750_000_000_000
SETTLE_S = 10.0


class Library:
    """A folder with its catalogue; the clock is `now_ms` and moves only when a test moves it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "library"
        self.root.mkdir()
        self.memory_folder = folder / "memory"
        self.memory = HashMemory(self.memory_folder)
        self.store = FolderStore(folder / "store")
        self.catalog = Catalog.load(self.store)
        self.now_ms = NOW_MS
        self.last: Scan

    def write(self, path: str, content: str | bytes | None = None, *, age_s: float = 3600) -> Path:
        """Write a file that was last changed `age_s` ago; without content it holds its own path."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        content = f"bytes of {path}" if content is None else content
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.touch(path, age_s=age_s)
        return file

    def touch(self, path: str, *, age_s: float) -> None:
        time_ns = round((self.now_ms - age_s * 1000) * 1_000_000)
        os.utime(self.root / path, ns=(time_ns, time_ns))

    def rename(self, old: str, new: str) -> None:
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(self.root / new)

    def remove(self, path: str) -> None:
        target = self.root / path
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()

    def scan(self, **options: Any) -> Scan:
        settings = {"settle_s": SETTLE_S, "loss_limit": 0.2, "now_ms": self.now_ms} | options
        self.last = scan(self.root, self.catalog, self.memory, **settings)
        return self.last

    def refresh(self, **options: Any) -> Change:
        change = update(self.catalog, self.scan(**options))
        self.catalog = change.catalog
        return change

    def forget(self) -> None:
        """Lose the memory, as when the cache folder is deleted."""
        self.memory.close()
        shutil.rmtree(self.memory_folder)
        self.memory = HashMemory(self.memory_folder)

    def ids(self) -> dict[str, str]:
        """Give the ids of the titles that are present, by path."""
        return {record.path: record.title_id for record in self.catalog.present()}

    def title(self, title_id: str) -> TitleRecord:
        return self.catalog.titles[title_id]

    def reasons(self) -> dict[tuple[str, str], int]:
        """Give how many files were ignored, by folder and the reason's first words."""
        return {(each.path, each.reason.split(":")[0]): each.count for each in self.last.ignored}
