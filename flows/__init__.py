"""What Prefect runs. Importing this package gives Prefect its defaults, so it comes before Prefect's own import.

Nothing that is set in the environment already is changed; docs/settings.md says what each default is for.
"""

import os
from pathlib import Path

PREFECT_DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The second UI makes the browser call an analytics host, whatever the two above say.
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_HOME": str(Path.cwd() / ".prefect"),
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    # Measured: 8 seconds on a quiet machine, up to 39 on a busy one; Prefect's own limit is 20.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # Results would be pickles on disk that anyone may read.
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    # A run that outlives the server's restart keeps its place; in memory, a long one would be ended for losing it.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_CLI_PROMPT": "false",
    # A proxy for the outside must not be asked for a server on this machine.
    "NO_PROXY": "127.0.0.1,localhost",
}

# What a run writes (letters, call sheets, the database) is for this user's eyes only, however its worker was started.
os.umask(0o077)
for _name, _value in PREFECT_DEFAULTS.items():
    os.environ.setdefault(_name, _value)
