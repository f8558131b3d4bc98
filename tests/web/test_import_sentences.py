"""What Today says of the last import: when it was, as a person would say it, and how it ended."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from outreach.intake.history import COMMAND_LINE, NIGHTLY_RUN, PastIntake
from outreach.models import Import, Intake
from outreach.web.import_sentences import name_of, say_last, say_when

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("local", "said"),
    [
        ("2026-03-10T10:59", "today at 10:59"),
        ("2026-03-10T08:00", "today at 08:00"),
        ("2026-03-10T07:59", "last night"),
        ("2026-03-09T18:00", "last night"),
        ("2026-03-09T17:59", "yesterday at 17:59"),
        ("2026-03-08T23:00", "on 8 Mar 2026"),
    ],
)
def test_when_it_was_is_said_by_the_business_s_own_clock(local: str, said: str) -> None:
    assert say_when(datetime.fromisoformat(local).replace(tzinfo=ZONE), NOW, ZONE) == said


@pytest.mark.parametrize(
    ("read", "refused", "values", "is_running", "said"),
    [
        (1, 0, {}, False, "1 row came in today at 10:00, none was refused."),
        (3, 1, {}, False, "2 rows came in today at 10:00, 1 was refused."),
        (0, 0, {"finished": False}, True, "Customer data is coming in just now."),
        (0, 0, {"finished": False}, False, "An import broke off today at 10:00, before its end. "
         "What came in until then stays; import the same again."),
        (0, 0, {"problem": "gone"}, False, "No customer data came in today at 10:00: it could not be read."),
    ],
)  # fmt: skip
def test_how_the_last_import_ended_is_one_sentence(
    read: int, refused: int, values: dict[str, object], is_running: bool, said: str
) -> None:
    at = NOW - timedelta(hours=1)
    file = Import(at=at, file="c.csv", table_name="customers", read=read, accepted=read - refused, refused=refused)
    intake = Intake.model_validate({"at": at, "by": "nora", "source": "c.csv", "finished": True} | values)
    assert say_last(PastIntake(intake, [file], is_running), NOW, ZONE) == said


def test_who_brought_it_in_is_named_as_people_know_them() -> None:
    names = {"nora": "Nora Whitcomb"}
    said = [name_of(by, names) for by in ("nora", "gone", COMMAND_LINE, NIGHTLY_RUN, "")]
    assert said == ["Nora Whitcomb", "gone", "the command line", "the nightly run", "not written down"]
