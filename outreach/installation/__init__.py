"""The folder that a business works in: it holds outreach.toml, the templates, the pens, and whatever is written.

It is found upwards from the current folder, as git finds a repository. Nothing is ever written where the package lies.
"""

from outreach.installation.folder import (
    EXAMPLE,
    PACKAGE,
    SETTINGS_FILE,
    enter_installation,
    enter_own_installation,
    find_installation,
)

__all__ = ["EXAMPLE", "PACKAGE", "SETTINGS_FILE", "enter_installation", "enter_own_installation", "find_installation"]
