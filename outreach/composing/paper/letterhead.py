"""Checks the business's own SVG before it stands on a letter, and gives the same bytes back: it may hold shapes alone.

Nothing that runs, loads, repeats without end or needs a font of the machine may stand on a letter.
"""

import re
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from outreach.errors import SettingsError
from outreach.local_files import read_regular
from outreach.settings import Settings

# Each letter carries it, and a vendor's mailbox has room for so much.
LARGEST_BYTES = 100_000
MOST_SHAPES = 2_000
_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = frozenset(
    "svg g path rect circle ellipse line polyline polygon defs linearGradient radialGradient stop clipPath title desc"
    " style".split()
)
_HREFS = frozenset({"href", "{http://www.w3.org/1999/xlink}href"})
# A backslash could spell a word that is looked for here in another way.
_LOADS = re.compile(r"@|\\|javascript:|expression\(|url\((?!\s*['\"]?#)", re.IGNORECASE)


def read_letterhead(settings: Settings) -> bytes | None:
    """The SVG that `business.letterhead` names, checked; None where there is none. Raises SettingsError with why."""
    path = settings.business.letterhead
    if path is None:
        return None
    try:
        file = path.stat()
    except OSError as error:
        raise SettingsError(f"business.letterhead: {path} cannot be read ({error.strerror}); mend the path") from error
    # Checked once for each state of the file, and a new one is seen at once.
    return _read(path, file.st_mtime_ns, file.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int, size: int) -> bytes:
    try:
        written = read_regular(path)
        refused = why_refused(written)
    except OSError as error:
        raise SettingsError(f"business.letterhead: {path} cannot be read ({error.strerror})") from error
    if refused:
        raise SettingsError(f"business.letterhead: {path} cannot stand on a letter: {refused}")
    return written


def why_refused(written: bytes) -> str:
    """Why these bytes may not be a letterhead, and what to do; empty when they may."""
    if len(written) > LARGEST_BYTES:
        return f"it has {len(written):,} bytes, and {LARGEST_BYTES:,} may be; simplify its paths"
    try:
        text = written.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "it is not UTF-8; save it as plain SVG in UTF-8"
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        return "it declares a document type, which could hold anything; export it as plain SVG"
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - it declares no entities, and is of bounded size
    except ElementTree.ParseError as error:
        return f"it is not SVG ({error})"
    if root.tag != f"{_SVG}svg":
        return 'it is not SVG; its first tag must be <svg xmlns="http://www.w3.org/2000/svg">'
    return _refuse_size(root) or _refuse_shapes(root)


def _refuse_size(root: ElementTree.Element) -> str:
    numbers = [float(part) for part in re.findall(r"-?[0-9.]+", root.get("viewBox", "")) if part.count(".") < 2]
    if len(numbers) != 4 or min(numbers[2:]) <= 0:
        return "it does not say how large it is; export it with a viewBox of four numbers"
    return ""


def _refuse_shapes(root: ElementTree.Element) -> str:
    shapes = list(root.iter())
    if len(shapes) > MOST_SHAPES:
        return f"it has {len(shapes):,} shapes, and {MOST_SHAPES:,} may be; simplify it"
    return next((refused for shape in shapes if (refused := _refuse_shape(shape))), "")


def _refuse_shape(shape: ElementTree.Element) -> str:
    name = str(shape.tag).removeprefix(_SVG)
    if name not in _SHAPES:
        more = "; turn text into paths" if name in {"text", "tspan"} else ""
        return f"<{name.rpartition('}')[2]}> may not stand in it; export it as plain SVG of shapes{more}"
    for attribute, value in shape.attrib.items():
        if attribute.lower().startswith("on"):
            return f"“{attribute}” would run a script; take it out"
        if attribute in _HREFS and not value.startswith("#"):
            return "it refers to something outside itself; take the link out, and turn pictures into shapes"
        if _LOADS.search(value):
            return f"“{attribute}” of <{name}> would load something; write plain colours and shapes"
    return f"<{name}> would load something; write plain colours" if _LOADS.search(shape.text or "") else ""
