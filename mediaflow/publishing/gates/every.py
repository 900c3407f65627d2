"""All gates, in the order in which they are asked."""

from __future__ import annotations

from mediaflow.publishing.gates import canary, coverage, golden, recall, rows, titles, vectors
from mediaflow.publishing.gates.gate import Gate

GATES = (
    Gate(
        "coverage", "the share of the catalogue's titles that is served, as a whole and per algorithm", coverage.judge
    ),
    Gate("titles", "titles of the served snapshot that are lost", titles.judge),
    Gate("rows", "rows per title and table, beside the served snapshot", rows.judge),
    Gate("vectors", "vectors are finite, of unit norm, and not all the same", vectors.judge),
    Gate("recall", "what vector indexes find, beside exact search, at several filter widths", recall.judge),
    Gate("golden", "nDCG@10 of questions with known answers, beside the served snapshot", golden.judge),
    Gate("canary", "sampled questions whose answers moved without a declared change", canary.judge),
)
NAMES = tuple(gate.name for gate in GATES)
