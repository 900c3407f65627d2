#!/usr/bin/env bash
# Dagster with its web pages and sensors on, and the search server beside it, until Ctrl-C. PORT: of Dagster's pages, 3000
# if not set; SERVE_PORT: of the search server, 8000.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
port=${PORT:-3000}
search=${SERVE_PORT:-8000}
# Prints Dagster's home, ready for use, or one sentence: no library is set, a setting is wrong, a port is taken.
home=$("$python" -m sensors.prepare "$port" "$search")
export DAGSTER_HOME=$home
echo "Dagster: http://127.0.0.1:$port (Ctrl-C ends it; what is finished is kept)"
# It goes on beside this process, which becomes Dagster's, and ends with it.
"$python" -m sensors.beside "$$" "$search" &
# Dagster announces another command of its own at each start: nothing for people who run this one.
exec "$python" -W ignore:Function -m dagster dev -w workspace.yaml -h 127.0.0.1 -p "$port"
