"""Every key there is in the store, in one place."""

from __future__ import annotations

import secrets

CATALOG = "catalog/"
MODELS = "models/log/"
CHOICES = "models/choices/"
WEIGHTS = "models/weights/"
SOURCES = "algorithms/"
IMPORTS = "imports/"
ARTIFACTS = "artifacts/"
LEDGER = "ledger.lance"
TABLES = "tables/"
EPOCHS = "epochs/"
INTENTS = "intents/"
SNAPSHOTS = "snapshots/"
RELEASES = "releases/"
CANDIDATES = "candidates/"
CONDEMNED = "condemned/"
ENGINES = "engines/"
PINS = "pins/"
PROBES = "probes/"
ERASURES = "erasures/"
EVALUATIONS = "evaluations/"


def artifact(stage: str, title_id: str, revision: str, attempt: str, part: str) -> str:
    """Return the key of one part of an artifact; `attempt` makes each attempt's file its own."""
    return f"{ARTIFACTS}{stage}/{title_id}/{revision}/{attempt}.{part}.parquet"


def new_attempt() -> str:
    """Return a name for an attempt that nobody else has."""
    return secrets.token_hex(6)


def table(name: str) -> str:
    """Return the key of the Lance table `name`."""
    return f"{TABLES}{name}.lance"


def generation_table(stage: str, generation: str) -> str:
    """Return the name of the table that holds `stage` in `generation`."""
    return f"{stage}-{generation[:16]}"


def snapshot(snapshot_id: str) -> str:
    """Return the key of a manifest."""
    return f"{SNAPSHOTS}{snapshot_id}.json"


def epoch_end(epoch: int) -> str:
    """Return the key of the mark that epoch `epoch` ended cleanly."""
    return f"{EPOCHS}{epoch:020d}.end"


def epoch_beat(epoch: int) -> str:
    """Return the key of the heartbeat of epoch `epoch`."""
    return f"{EPOCHS}{epoch:020d}.beat"


def candidate(epoch: int) -> str:
    """Return the key of the snapshot that epoch `epoch` asks the engines to prepare."""
    return f"{CANDIDATES}{epoch:020d}.json"


def condemned(snapshot_id: str) -> str:
    """Return the key of the mark that a snapshot is to be deleted."""
    return f"{CONDEMNED}{snapshot_id}"


def engine(engine_id: str) -> str:
    """Return the key of an engine's lease."""
    return f"{ENGINES}{engine_id}.json"


def pin(pin_id: str) -> str:
    """Return the key of a pin."""
    return f"{PINS}{pin_id}.json"


def probe(name: str) -> str:
    """Return the key of an object that is written to read the store's clock."""
    return f"{PROBES}{name}"


def erasure(title_no: int) -> str:
    """Return the key of the wish that a title be erased."""
    return f"{ERASURES}{title_no:020d}.json"


def evaluation(snapshot_id: str, questions: str) -> str:
    """Return the key of what some questions, by the hash of them, measure of a snapshot."""
    return f"{EVALUATIONS}{snapshot_id}/{questions}.json"


def intent(epoch: int, table_name: str, attempt: int) -> str:
    """Return the key of the intent for the `attempt`-th commit of an epoch to a table."""
    return f"{INTENTS}{epoch:020d}/{table_name}.{attempt}.json"


def source(algorithm: str, version: str) -> str:
    """Return the key of what is remembered of an algorithm's source; `version` is a hash of the declared one."""
    return f"{SOURCES}{algorithm}/{version}.json"
