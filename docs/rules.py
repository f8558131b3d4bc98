"""Writes the generated part of docs/rules.md: every rule about whom we write to, and when each is asked, from the code.

Run it with `make docs`; a test compares the page with what this gives.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from outreach.composing import recheck
from outreach.delivery import last_check
from outreach.moments.rule import Rule
from outreach.planning import rules
from outreach.planning.debt_collection import check_calls, check_collecting
from outreach.planning.text_cap import check_text_cap

PROJECT = Path(__file__).resolve().parent.parent

PAGE = PROJECT / "docs" / "rules.md"
BEGIN = "<!-- From here on `make docs` writes this page from the code. -->\n"
CHANGES = "test_what_an_import_changes_after_approval_does_not_leave_and_the_reason_is_told"
# What is asked again of a message beside the rules of planning, with the test that changes it.
OF_A_MESSAGE = (
    ("occasion", "the moment is still found, with the data of now, on the day that it is about", CHANGES),
    ("recipient", "it still goes to the same person", CHANGES),
    ("facts", "its name, address, contact and all that its words state come out the same", CHANGES),
)
# What only the moment of sending can tell: it asks nothing about whom we may write to.
AT_SENDING: tuple[tuple[Callable[..., Any], str], ...] = (
    (last_check.check_pauses, "test_a_pause_holds_what_it_names_until_it_is_resumed"),
    (last_check.check_usefulness, "test_what_is_of_no_use_any_more_expires"),
    (last_check.check_restore, "test_track_after_a_restore_says_what_it_put_in_doubt"),
    (last_check.check_seal, "test_row_18_a_byte_changed_after_approval_blocks_that_message_alone"),
    (check_collecting, "test_a_collector_writes_to_no_employer_and_sends_nothing_that_cannot_be_stopped"),
    (
        last_check.check_hours,
        "test_a_text_approved_at_night_waits_for_the_morning_of_whom_it_is_for_and_then_leaves_once",
    ),
    (check_text_cap, "test_one_number_gets_one_text_about_health_a_day_and_three_a_week"),
    (check_calls, "test_a_collector_calls_nobody_more_often_in_seven_days_than_the_law_allows"),
)
# Where a rule that is asked once is held, and where one is that no import can break.
TESTED: dict[str, str] = {
    "enabled": "test_a_permission_that_is_taken_away_after_approval_lets_nothing_leave",
    "before_start": "test_a_permission_that_is_taken_away_after_approval_lets_nothing_leave",
    "too_late": "test_what_is_of_no_use_any_more_expires",
    "stale_payments": "test_payments_that_are_not_fresh_any_more_keep_a_late_note_waiting_until_they_are",
    "beginning": "test_a_beginning_that_turns_out_to_be_the_edge_of_an_export_gets_no_present",
    "after_present": "test_nobody_is_missed_within_half_a_year_of_a_present",
    "wrote_lately": "test_a_note_in_the_first_hundred_days_waits_while_we_have_written_lately",
    "again": "test_a_second_slip_within_thirty_days_is_left_alone",
    "weekday": "test_a_moment_is_put_off_to_the_next_of_its_weekdays",
    "collision": "test_when_moments_meet_the_first_in_order_wins_and_the_loser_names_it",
    "quiet_days": "test_at_most_one_touch_per_person_within_the_quiet_days",
    "fixed_day": "test_what_has_all_year_yields_to_a_fixed_day_within_the_quiet_days",
    "household": "test_one_household_gets_one_piece_of_marketing_within_the_quiet_days",
    "same_contact": "test_row_17_one_number_under_two_customers_gets_the_same_news_once_a_day",
    "size": "test_no_more_than_so_many_are_planned_on_a_day_and_the_rest_tomorrow",
    "budget": "test_a_budget_holds_until_the_first_of_the_next_month_and_says_which_one_it_is",
    "gift": "test_planning_holds_what_would_pass_a_ceiling_on_gifts_and_says_which_one_it_is",
    "worth": "test_a_message_that_costs_too_much_of_what_a_customer_is_worth_is_held_where_a_business_wants_that",
}


def page() -> str:
    """The page as it should be: what people wrote down to the mark, and after it what the code says."""
    written = PAGE.read_text(encoding="utf-8").split(BEGIN)[0]
    return written + BEGIN + "\n" + "\n".join(lines())


def lines() -> Iterator[str]:
    yield "## Whom we write to: every rule, and when it is asked\n"
    yield (
        "Planning, the forecast, `simulate` and `why` ask this list in this order. Every look at a batch that waits, "
        "the call sheet, the cancel window and the transaction that opens an attempt ask it again, of the data of now; "
        "what a rule then holds is withdrawn with its reason (a word against a contact: suppressed), and its moment is "
        "decided on again while it is of use.\n"
    )
    yield "| rule | what it keeps | when we plan | before it leaves | tested by |"
    yield "|---|---|---|---|---|"
    yield from (row(rule) for rule in rules.EVERY)
    for name, keeps, test in OF_A_MESSAGE:
        yield f"| {name} | {keeps} | it is made so | asked again | `{test}` |"
    for check, test in AT_SENDING:
        keeps = (inspect.getdoc(check) or "").split("\n")[0].rstrip(".")
        yield f"| {check.__name__.removeprefix('check_')} | {keeps} | not asked | when it leaves | `{test}` |"
    yield ""
    yield f"What a message states is looked at in `{_file_of(recheck)}`; the list stands in `{_file_of(rules)}`."
    yield ""


def row(rule: Rule) -> str:
    again = {"approved": "asked again; it waits", "expired": "asked again; it expires"}.get(rule.status, "asked again")
    said = f"no: {rule.once}" if rule.once else again
    return f"| {rule.name} | {rule.keeps} | asked | {said} | `{TESTED.get(rule.name, CHANGES)}` |"


def _file_of(module: Any) -> str:
    return Path(inspect.getsourcefile(module) or "").relative_to(PROJECT).as_posix()


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else PAGE).write_text(page(), encoding="utf-8")
