"""The small cases that bit somebody, and the facts that change after approval, run through the command line as given.

Both stand in ../shared/data/cases, each with the right value; they are skipped, and say so, where that is not here.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkout import PROJECT
from conftest import SHARED
from forked_command import forked_command

CASES = SHARED / "data" / "cases"
FOLDERS = sorted(path.parent.name for path in CASES.glob("*/expect.json"))


@pytest.fixture(autouse=True)
def _can_read_letters() -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not here (package poppler-utils): the cases are NOT checked in this run")


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with forked_command(tmp_path_factory.mktemp("command"), os.environ) as command:
        yield command


def run(command: Path, program: str, folder: Path, *words: str, **more: str) -> str:
    """What a program of the cases prints. It finds the command under a checkout: this one, with this interpreter."""
    checkout = folder / "checkout"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "outreach").symlink_to(command)
    for name in ("templates", "outreach.toml"):
        (checkout / name).symlink_to(PROJECT / name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")}
    environment |= {"TMPDIR": str(folder), "APP": str(checkout), "W": str(folder / "worlds")} | more
    (folder / "worlds").mkdir()
    done = subprocess.run(
        [sys.executable, str(CASES / program), *([str(checkout), *words] if words else [])],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", FOLDERS or ["none"])
def test_a_case_comes_out_right_and_its_controls_still_go_out(
    shared: Path, command: Path, tmp_path: Path, name: str
) -> None:
    said = run(command, "try_cases.py", tmp_path, name)
    assert f"right  {name}" in said, said


def test_no_fact_that_changes_after_approval_leaves_where_planning_would_hold_it(
    shared: Path, command: Path, tmp_path: Path
) -> None:
    said = run(command, "recheck.py", tmp_path)
    assert "CONTROL" in said
    assert "DISAGREE" not in said, said
    assert [line.split()[-1] for line in said.splitlines() if line.startswith("CONTROL")] == ["LEAVES", "LEAVES"]
