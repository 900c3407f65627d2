#!/usr/bin/env bash
# Makes .venv with exactly the packages of requirements.lock and mediaflow itself; does nothing when it is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."
python=""
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "mediaflow needs Python 3.11 or newer: on Debian 12 or later, 'apt-get install python3 python3-venv', then try again." >&2
    exit 1
fi
"$python" -c 'import ensurepip, venv' 2>/dev/null || bash scripts/debian.sh python3-venv
echo "Setting up .venv: about 3 GB to download, some minutes the first time."
[ -x .venv/bin/python ] || "$python" -m venv .venv
pip=(.venv/bin/python -m pip --disable-pip-version-check install --quiet --compile)
# Every package is pinned and hashed in the lock, so nothing is left to resolve.
"${pip[@]}" --require-hashes --no-deps -r requirements.lock
"${pip[@]}" --no-deps --no-build-isolation --editable .
touch .venv/.ready
