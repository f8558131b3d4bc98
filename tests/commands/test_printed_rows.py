"""How many rows the command line prints: lists stop with a count of the rest, what one asked of one person does not."""

import pytest

from outreach import console
from outreach.commands.planning import show_answers
from outreach.console import ROWS_SHOWN, print_table
from outreach.moments.explanations import ClauseAnswer
from outreach.planning.why import MomentAnswer

MANY = ROWS_SHOWN + 2


def test_why_prints_every_answer_and_every_condition(capsys: pytest.CaptureFixture[str]) -> None:
    clauses = tuple(ClauseAnswer(f"condition-{number}", True, "known", "nothing") for number in range(MANY))
    show_answers([MomentAnswer(f"kind-{number}", "", "no", "r", "because") for number in range(MANY)], as_json=False)
    show_answers([MomentAnswer("checkin", "", "no", "r", "because", clauses=clauses)], as_json=False)
    said = capsys.readouterr().out
    assert all(f"kind-{number}" in said and f"condition-{number}" in said for number in range(MANY))
    assert "more" not in said


def test_a_list_stops_and_says_how_many_it_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("List", ["row"], [(f"row-{number}",) for number in range(MANY)])
    said = capsys.readouterr().out
    assert f"row-{ROWS_SHOWN - 1}" in said
    assert f"row-{ROWS_SHOWN} " not in said
    assert "… and 2 more" in said


def test_a_name_that_people_copy_is_never_broken_and_nothing_is_cut_short(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.console, "width", 80)
    batch, reason = "2026-11-23-anniversary-letter", "letters wait for a person who may approve them " * 2
    print_table("Batches", ["batch", "cost", "reason"], [(batch, "$11.05", reason)])
    assert f"{batch} " in capsys.readouterr().out


def test_a_word_too_long_for_the_line_is_broken_and_not_cut_short(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.console, "width", 80)
    print_table("Words", ["word", "reason"], [("b" * 150, "it is long " * 9)])
    said = capsys.readouterr().out
    assert said.count("b") == 150
    assert "…" not in said
