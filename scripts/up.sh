#!/usr/bin/env bash
# Dagster with its web pages and sensors on, until Ctrl-C. PORT: the pages' port, 3000 if not set.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
port=${PORT:-3000}
# Prints Dagster's home, ready for use, or one sentence: no library is set, a setting is wrong, the port is taken.
home=$("$python" -m sensors.prepare "$port")
export DAGSTER_HOME=$home
echo "Dagster: http://127.0.0.1:$port (Ctrl-C ends it; what is finished is kept)"
# Dagster announces another command of its own at each start: nothing for people who run this one.
exec "$python" -W ignore:Function -m dagster dev -w workspace.yaml -h 127.0.0.1 -p "$port"
