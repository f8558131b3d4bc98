"""How many rows the command line prints: lists stop with a count of the rest, what one asked of one person does not."""

import pytest

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
