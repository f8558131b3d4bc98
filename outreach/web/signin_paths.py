"""Where a sign-in may lead to: a path of our own, and no other site. It never follows what a link says blindly."""

import re

# A browser takes a backslash for a slash, and drops line ends and tabs wherever they stand.
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,1000}")


def local_path(path: str) -> str:
    """Only a path of ours: a link must not lead on to another site, nor round in circles."""
    return path if _LOCAL.fullmatch(path) and not path.startswith(("/signin", "/signout")) else "/"
