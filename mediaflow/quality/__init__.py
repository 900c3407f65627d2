"""How good answers are: questions with known answers, put to snapshots, measured and compared."""
