"""The first step of every deployed run: enters the project's folder, wherever it lies on the worker's machine."""

import os

from outreach.settings import PROJECT


def enter_project() -> dict[str, str]:
    """Makes the project's folder the current one, where outreach.toml and a relative database URL are looked for."""
    os.chdir(PROJECT)
    return {"directory": str(PROJECT)}
