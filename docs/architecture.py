"""Draws docs/imports.svg: which room stands on which, read from the imports of the source.

Run it with `make docs`; a test compares the picture with what this gives. What counts as the ground, on which every
room may stand, is listed in tests/project/test_house.py and nowhere else.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "imports.svg"
HOUSE = ROOT / "tests" / "project" / "test_house.py"
Rooms = Mapping[str, set[str]]

WIDTH, MARGIN, LANE = 940, 20, 40
BOX, GAP, FIRST = 50, 34, 58
INK, LINE, PAPER, GROUND_PAPER = "#1f3d33", "#5b7a6f", "#e7f0ec", "#f3efe6"


@cache
def ground() -> tuple[str, ...]:
    """The modules that know of no room, as the test of the house lists them."""
    for node in ast.parse(HOUSE.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GROUND":
            return tuple(ast.literal_eval(node.value))
    raise LookupError(f"{HOUSE} lists no GROUND")


def sources() -> Iterator[tuple[str, Path]]:
    """Every source file with the room it stands in. The migrations stand on nothing, and nothing on them."""
    for path in sorted([*(ROOT / "outreach").rglob("*.py"), *(ROOT / "flows").rglob("*.py")]):
        room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if room and room not in ("__init__", "migrations"):
            yield room, path


def room_of(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] == "flows":
        return "flows"
    return parts[1] if parts[0] == "outreach" and len(parts) > 1 else None


def imported_rooms(path: Path) -> Iterator[str | None]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (room_of(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (room_of(f"{node.module}.{alias.name}") for alias in node.names)


@cache
def rooms() -> Rooms:
    """Each room, and the rooms that it imports from; without the ground, on which all of them stand."""
    found: dict[str, set[str]] = defaultdict(set)
    everywhere = set(ground())
    for room, path in sources():
        if room not in everywhere:
            found[room] |= {other for other in imported_rooms(path) if other} - everywhere - {room}
    return found


def layers(needs: Rooms) -> dict[str, int]:
    """How high each room is drawn, the lowest on 1: as high as those that need it allow, so that arrows are short.

    Raises ValueError where rooms need each other in a circle: every drawing would have an arrow that points up.
    """
    depths: dict[str, int] = {}

    def depth(room: str, path: tuple[str, ...]) -> int:
        if room in path:
            raise ValueError(f"these rooms need each other in a circle: {' → '.join([*path, room])}")
        if room not in depths:
            users = [other for other in needs if room in needs[other]]
            depths[room] = 1 + max((depth(other, (*path, room)) for other in users), default=-1)
        return depths[room]

    lowest = max(depth(room, ()) for room in needs)
    return {room: 1 + lowest - depths[room] for room in needs}


def arrows(needs: Rooms) -> list[tuple[str, str]]:
    """What each room needs, without what follows from another arrow."""

    def beneath(room: str) -> set[str]:
        return {lower for other in needs[room] for lower in {other} | beneath(other)}

    return [
        (room, other)
        for room in sorted(needs)
        for other in sorted(needs[room])
        if not any(other in beneath(between) for between in needs[room])
    ]


def parts_of(room: str) -> list[str]:
    """The rooms within a room, as its folders are called; with those of one more level after a slash."""
    folder = ROOT / "outreach" / room
    inner = [path.parent.relative_to(folder).as_posix() for path in sorted(folder.glob("**/__init__.py"))]
    return [name for name in inner if name != "."]


def picture() -> str:
    """The picture as it should be."""
    needs = rooms()
    places = place(needs)
    height = max(top for _, top, _ in places.values()) + BOX + GAP + BOX + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title description" font-family="sans-serif" font-size="12">',
        '<title id="title">Which room stands on which</title>',
        f'<desc id="description">{escape(describe(needs))}</desc>',
        f'<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0 8 4 0 8z" fill="{LINE}"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{MARGIN}" y="26" font-size="14" font-weight="bold" fill="{INK}">Which room stands on which</text>',
        f'<text x="{MARGIN}" y="44" fill="{INK}">An arrow points to what a room imports from; what follows from other '
        "arrows is left out, and so is the ground, on which all stand.</text>",
        *(draw_arrow(places, *ends) for ends in arrows(needs)),
        *(draw_box(room, ", ".join(parts_of(room)), *places[room]) for room in places),
        *draw_ground(height - MARGIN - BOX),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def place(needs: Rooms) -> dict[str, tuple[int, int, int]]:
    """The left edge, the top and the width of each room's box; the rooms of one layer share its width."""
    levels, across = layers(needs), WIDTH - 2 * MARGIN - LANE
    targets = {room: sorted(other for start, other in arrows(needs) if start == room) for room in needs}
    highest = max(levels.values())
    places = {}
    for level in range(highest, 0, -1):
        # What reaches past a layer stands last, beside the lane; the others in the order of what they reach.
        row = sorted(
            (room for room in needs if levels[room] == level),
            key=lambda room: (any(levels[other] < levels[room] - 1 for other in targets[room]), targets[room], room),
        )
        width = (across - (len(row) - 1) * MARGIN) // len(row)
        for number, room in enumerate(row):
            places[room] = (MARGIN + number * (width + MARGIN), FIRST + (highest - level) * (BOX + GAP), width)
    return places


def draw_arrow(places: Mapping[str, tuple[int, int, int]], room: str, other: str) -> str:
    (left, top, width), (below, bottom, span) = places[room], places[other]
    style = f'fill="none" stroke="{LINE}" marker-end="url(#head)"'
    if bottom - top > BOX + GAP:
        # Past the layers between, in the lane at the right.
        lane = WIDTH - MARGIN - LANE // 2
        return (
            f'<path d="M{left + width} {top + BOX // 2}H{lane}V{bottom + BOX // 2}H{below + span}" {style}>'
            f"<title>{room} needs {other}</title></path>"
        )
    # As straight down as the two boxes allow.
    start = within(below + span // 2 if span < width else left + width // 2, left, width)
    return (
        f'<path d="M{start} {top + BOX}L{within(start, below, span)} {bottom}" {style}>'
        f"<title>{room} needs {other}</title></path>"
    )


def within(x: int, left: int, width: int) -> int:
    """The place on a box's edge that is nearest to x, and not on a corner."""
    return min(max(x, left + MARGIN), left + width - MARGIN)


def draw_box(room: str, parts: str, left: int, top: int, width: int) -> str:
    middle, first = left + width // 2, top + (21 if parts else 30)
    box = f'<rect x="{left}" y="{top}" width="{width}" height="{BOX}" rx="5" fill="{PAPER}" stroke="{LINE}"/>'
    name = f'<text x="{middle}" y="{first}" text-anchor="middle" font-weight="bold" fill="{INK}">{room}</text>'
    inner = f'<text x="{middle}" y="{top + 39}" text-anchor="middle" font-size="11" fill="{INK}">{parts}</text>'
    return box + name + (inner if parts else "")


def draw_ground(top: int) -> Iterator[str]:
    across, names = WIDTH - 2 * MARGIN - LANE, ground()
    half = (len(names) + 1) // 2
    yield f'<rect x="{MARGIN}" y="{top}" width="{across}" height="{BOX}" rx="5" fill="{GROUND_PAPER}" stroke="{LINE}"/>'
    for row, listed in enumerate((names[:half], names[half:])):
        yield (
            f'<text x="{MARGIN + across // 2}" y="{top + 21 + 18 * row}" text-anchor="middle" fill="{INK}">'
            f"{', '.join(listed)}</text>"
        )


def describe(needs: Rooms) -> str:
    levels = layers(needs)
    ordered = sorted(needs, key=lambda room: (levels[room], room))
    below = {room: ", ".join(other for start, other in arrows(needs) if start == room) for room in ordered}
    return " ".join(f"{room} stands on {below[room] or 'the ground'}." for room in ordered)


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else PICTURE).write_text(picture(), encoding="utf-8")
