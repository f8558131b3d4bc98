"""The wheel in an empty folder: a new installation, a day's work in it from a folder below, and nothing elsewhere."""

import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from checkout import PROJECT
from csv_practice import write_practice
from installed import own_environment

pytestmark = pytest.mark.xdist_group("prefect")
NOW = "2026-03-10T15:00Z"
BUSINESS = ("--country", "US", "--timezone", "America/New_York", "--language", "en", "--currency", "USD")
ADDRESS = ("--address", "14 Alder Lane", "--address", "Burlington, VT 05401")
REACHED = ("--phone", "+1 802 555 0140", "--email", "hello@alderlane.example", "--signed-by", "Nora Whitcomb")


def call(outreach: Path, folder: Path, *words: str) -> str:
    done = subprocess.run(
        [outreach, *words], cwd=folder, env={**own_environment(), "OUTREACH_NOW": NOW, "COLUMNS": "160"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_days_work_is_done_in_a_new_installation_and_nothing_is_written_elsewhere(
    installed: Path, tmp_path: Path
) -> None:
    call(installed, tmp_path, "new", "alder", "--name", "Alder Lane", *BUSINESS, *ADDRESS, *REACHED)
    alder, below = tmp_path / "alder", tmp_path / "alder" / "exports" / "may"
    below.mkdir(parents=True)
    write_practice(tmp_path)
    (tmp_path / "data").rename(below / "data")
    packages = {path for path in installed.parents[1].rglob("*") if "__pycache__" not in path.parts}

    call(installed, below, "import", "data")
    prepared = call(installed, below, "prepare")
    batch = "2026-03-10-anniversary-letter"
    assert batch in prepared
    call(installed, alder, "staff", "add", "maria", "--name", "Maria Stone")
    call(installed, alder, "approve", batch, "--by", "maria")
    call(installed, below, "deliver")

    assert list((alder / "outbox").rglob("*.pdf"))
    assert sorted(path.name for path in below.iterdir()) == ["data"]
    assert packages == {path for path in installed.parents[1].rglob("*") if "__pycache__" not in path.parts}


def test_two_installations_on_one_machine_know_nothing_of_each_other(installed: Path, tmp_path: Path) -> None:
    for name in ("alder", "birch"):
        call(installed, tmp_path, "new", name, "--name", name.title(), *BUSINESS)
    write_practice(tmp_path)
    call(installed, tmp_path / "alder", "import", str(tmp_path / "data"))
    call(installed, tmp_path / "birch", "init")
    assert "anniversary" in call(installed, tmp_path / "alder", "prepare")
    assert "anniversary" not in call(installed, tmp_path / "birch", "prepare")


def test_the_wheel_says_its_version_and_completes_commands(installed: Path, tmp_path: Path) -> None:
    assert call(installed, tmp_path, "--version") == f"outreach {version('outreach')}\n"
    typed = {"_OUTREACH_COMPLETE": "complete_bash", "COMP_WORDS": "outreach im", "COMP_CWORD": "1"}
    asked = subprocess.run(
        [installed], cwd=tmp_path, capture_output=True, text=True, check=True, env={**own_environment(), **typed}
    )
    assert asked.stdout.split() == ["import"]


def test_the_wheel_tells_type_checkers_that_it_has_types_and_carries_every_template(installed: Path) -> None:
    [packages] = installed.parents[1].glob("lib/python*/site-packages")
    assert (packages / "outreach" / "py.typed").exists()
    shipped = packages / "outreach" / "example" / "templates"
    assert {path.relative_to(shipped) for path in shipped.rglob("*") if path.is_file()} == {
        path.relative_to(PROJECT / "templates") for path in (PROJECT / "templates").rglob("*") if path.is_file()
    }
    assert tomllib.loads((packages / "outreach" / "example" / "outreach.toml").read_text(encoding="utf-8"))
