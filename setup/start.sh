#!/bin/sh
# Finds a Python that is new enough and hands over to setup/install.py. PYTHON=/path/to/python chooses one.
here=$(dirname "$0")
for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        exec "$python" -B -E "$here/install.py"
    fi
done
echo "Outreach needs Python 3.11 or newer, and found none. Install it, then run the same command again:" >&2
echo "  Debian 12, Ubuntu 24.04 and newer   apt-get install python3 python3-venv" >&2
echo "  Ubuntu 22.04                        apt-get install python3.11 python3.11-venv" >&2
echo "  Fedora                              dnf install python3" >&2
echo "  macOS                               brew install python" >&2
echo "Or name one: PYTHON=/path/to/python3 make demo" >&2
exit 1
