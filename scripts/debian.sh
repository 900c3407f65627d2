#!/usr/bin/env bash
# Installs the Debian packages named (default: the browser of `make screenshots`), or says in one sentence what is missing.
set -euo pipefail
packages=("$@")
if [ ${#packages[@]} -eq 0 ]; then
    command -v chromedriver >/dev/null && command -v chromium >/dev/null && exit 0
    packages=(chromium chromium-driver)
fi
if ! command -v apt-get >/dev/null; then
    echo "Please install by your system's means, then try again: ${packages[*]}" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "Please run 'sudo apt-get install ${packages[*]}', then try again." >&2
        exit 1
    fi
    as_root=(sudo -n)
fi
echo "Installing from Debian: ${packages[*]}"
"${as_root[@]}" apt-get -qq update
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq install --yes --no-install-recommends "${packages[@]}" >/dev/null
