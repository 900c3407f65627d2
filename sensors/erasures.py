"""Clears Dagster's home of titles that were erased: their runs, events, partitions and logs, down to the free pages.

The event log is a view: what goes with a title's runs and concerns others is recorded anew from the ledger.
"""

import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import dagster as dg

from mediaflow.library import Library
from mediaflow.publishing.erase.erase import Erasure, erasures, finished

# Rows of other assets' keys stay; what is remembered in them is worked out anew.
_KEPT = {"asset_keys": "asset_key"}
_LOCKED_S = 30


def clear(instance: dg.DagsterInstance, library: Library) -> list[str]:
    """Clear Dagster's home of all titles that are to be erased, and take their wishes away; return their ids.

    A title whose tables and ledger are not clean yet is left for the next look, as it would be recorded again.
    """
    found = [one for one in erasures(library.store) if one.title_id not in library.catalog.titles]
    if not found:
        return []
    ids = [one.title_id for one in found]
    for run in instance.get_runs():
        said = json.dumps([run.run_config, run.tags])
        if any(title in said for title in ids):
            instance.delete_run(run.run_id)
    for title in ids:
        if instance.has_dynamic_partition("titles", title):
            instance.delete_dynamic_partition("titles", title)
    home = Path(instance.root_directory)
    words = _words(found)
    # What others write meanwhile is found by the next pass.
    while [file for file in sorted(home.rglob("*.db")) if _scrub(file, words)]:
        continue
    for file in (home / "storage").rglob("*"):
        if file.is_file() and any(word.encode() in file.read_bytes() for word in words):
            file.unlink()
    for folder in home.glob("storage/*"):
        if folder.is_dir() and not any(file.is_file() for file in folder.rglob("*")):
            shutil.rmtree(folder)
    for one in found:
        finished(library.store, one)
    return ids


def _words(found: Sequence[Erasure]) -> list[str]:
    """Return what the titles are known by: their ids and the paths of their files, as text and as JSON has it."""
    said = {word for one in found for word in (one.title_id, *one.paths) if word}
    return sorted(said | {json.dumps(word)[1:-1] for word in said})


def _scrub(file: Path, words: Sequence[str]) -> bool:
    """Delete all rows of a database in which any of the words stands, and the pages that they stood on."""
    changed = 0
    with closing(sqlite3.connect(file, timeout=_LOCKED_S, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            for column in columns:
                where = " OR ".join([f'instr(CAST("{column}" AS BLOB), CAST(? AS BLOB)) > 0'] * len(words))
                if table in _KEPT and column != _KEPT[table]:
                    done = connection.execute(f'UPDATE "{table}" SET "{column}" = NULL WHERE {where}', words)
                else:
                    done = connection.execute(f'DELETE FROM "{table}" WHERE {where}', words)
                changed += max(0, done.rowcount)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return changed > 0
