"""Finds the installation that a command or a run belongs to, and makes it the current folder.

Relative paths, typed or in settings, mean nothing to it: it only says where they begin.
"""

import os
from pathlib import Path

from outreach.errors import SettingsError

SETTINGS_FILE = "outreach.toml"
#: Where the modules of the program lie, be that a checkout or site-packages.
PACKAGE = Path(__file__).resolve().parent.parent
#: The example that comes with the program, from which others are made. In a checkout its files are links to those at
#: the top, which is the example itself; in a wheel they are the files.
EXAMPLE = PACKAGE / "example"


def find_installation(start: Path) -> Path | None:
    """The nearest folder from `start` upwards that holds outreach.toml; None where none does."""
    return next((folder for folder in (start, *start.parents) if (folder / SETTINGS_FILE).is_file()), None)


def enter_installation() -> Path:
    """Makes the installation that the current folder lies in the current one, and returns it.

    Where OUTREACH_CONFIG names the settings, and where there is no installation, the current folder stays.
    """
    here = Path.cwd()
    if "OUTREACH_CONFIG" in os.environ:
        return here
    found = find_installation(here) or here
    os.chdir(found)
    return found


def enter_own_installation() -> Path:
    """Makes the installation of a worker the current folder, and returns it: a run begins in a folder of Prefect's.

    OUTREACH_INSTALLATION names it, which a worker hands on to its runs; in a checkout it is the checkout. Raises
    SettingsError where neither tells.
    """
    named = os.environ.get("OUTREACH_INSTALLATION")
    folder = Path(named) if named else find_installation(Path.cwd()) or _checkout()
    if folder is None or not folder.is_dir():
        raise SettingsError(
            f"OUTREACH_INSTALLATION {f'names {named}, which is no folder here' if named else 'is not set'}; where the "
            "worker is started, set it to the folder that holds outreach.toml"
        )
    os.chdir(folder)
    return folder


def _checkout() -> Path | None:
    return PACKAGE.parent if (PACKAGE.parent / SETTINGS_FILE).is_file() else None
