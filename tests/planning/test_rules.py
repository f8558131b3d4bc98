"""The page of rules: every rule is on it, each with a test and a file that exist, or a word that it is not kept."""

import re
import runpy
from pathlib import Path

import pytest

from checkout import PROJECT

PAGE = (PROJECT / "docs" / "rules.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)
]
TESTS = {
    name
    for path in Path(__file__).parents[1].glob("*/test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
}


def test_every_rule_is_on_the_page_once() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 24))


@pytest.mark.parametrize("row", ROWS, ids=[f"rule {row[0]}" for row in ROWS])
def test_a_rule_names_files_and_tests_that_exist_or_says_that_it_is_not_kept(row: list[str]) -> None:
    _, rule, kept_in, kept_by, not_kept = row
    assert rule
    files, tests = re.findall(r"`((?:outreach|flows)/[\w/.]+)`", kept_in), re.findall(r"`(test_\w+)`", kept_by)
    assert [name for name in files if not (PROJECT / name).is_file()] == []
    assert set(tests) - TESTS == set()
    assert (files and tests) or not_kept != "–"


def test_the_table_of_rules_is_what_the_code_says_and_every_test_in_it_exists() -> None:
    assert runpy.run_path(str(PROJECT / "docs" / "rules.py"))["page"]() == PAGE, "run make docs"
    listed = re.findall(r"`(test_\w+)` \|$", PAGE.split("From here on")[1], flags=re.MULTILINE)
    assert listed
    assert set(listed) - TESTS == set()
