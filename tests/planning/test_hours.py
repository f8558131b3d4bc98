"""The hours of the day: whoever's clock counts, whatever its zone does to it, and whoever asked not to be disturbed."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from outreach.models import Customer
from outreach.planning.hours import ALWAYS, Barred, Hours, find_leave, instant_of, is_open
from outreach.planning.legal_hours import hours_for
from outreach.planning.time_zones import plausible_zones, region_of
from outreach.settings import Settings
from outreach.settings.limits import HoursSettings, minutes_of


def at(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=UTC)


DAYTIME = Hours(*minutes_of("08:00-21:00"))
ZONES = st.sampled_from(sorted(available_timezones()))
INSTANTS = st.integers(0, 7 * 366 * 86400).map(lambda seconds: at("2024-01-01") + timedelta(seconds=seconds))
MINUTES = st.integers(0, 1439)


def wall(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def person(**values: str) -> Customer:
    return Customer(customer_id="c", **values)


@given(INSTANTS, st.lists(ZONES, min_size=1, max_size=5), MINUTES, MINUTES, st.sets(st.integers(0, 6), max_size=3))
def test_whatever_the_zones_and_hours_a_message_leaves_within_them_and_not_later_than_it_could(
    now: datetime, zones: list[str], opens: int, closes: int, closed: set[int]
) -> None:
    hours = Hours(min(opens, closes), max(opens, closes) + 1, frozenset(closed))
    leave = find_leave(now, zones, hours)
    steps = [now + timedelta(minutes=17 * step) for step in range(3 * 24 * 60 // 17)]
    open_at = [step for step in steps if is_open(step, zones, hours)]
    if leave.at is None:
        assert open_at == []
        return
    assert leave.at >= now
    assert is_open(leave.at, zones, hours)
    assert not open_at or leave.at <= open_at[0]
    if leave.at > now:
        assert not is_open(leave.at - timedelta(seconds=1), zones, hours)
    if leave.until:
        assert all(is_open(step, zones, hours) for step in steps if leave.at <= step < leave.until)
        assert not is_open(leave.until, zones, hours)


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)), MINUTES, ZONES)
def test_a_time_on_the_wall_is_one_instant_everywhere(day: date, minute: int, zone: str) -> None:
    instant = instant_of(day, minute, zone)
    wanted = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    # Where the clock never showed it, the instant lies after what was skipped; Samoa and others have skipped a day.
    assert wall(instant, zone) >= wanted
    if wall(instant, zone) == wanted:
        assert wall(instant - timedelta(hours=1), zone) != wanted
        assert wall(instant - timedelta(minutes=30), zone) != wanted


def test_row_39_a_time_in_a_gap_is_shifted_in_a_fold_it_is_one_instant_and_without_a_zone_the_widest_rule_counts() -> (
    None
):
    new_york = "America/New_York"
    assert instant_of(date(2026, 3, 8), 150, new_york) == at("2026-03-08T07:30")
    assert instant_of(date(2026, 11, 1), 90, new_york) == at("2026-11-01T05:30")
    from_two_thirty, from_one_thirty = Hours(150, 1260), Hours(90, 1260)
    assert find_leave(at("2026-03-08T06:59"), [new_york], from_two_thirty).at == at("2026-03-08T07:00")
    assert find_leave(at("2026-11-01T05:00"), [new_york], from_one_thirty).at == at("2026-11-01T05:30")
    # Eight in the evening in New York is five in Los Angeles: a recipient there may still get it, for four hours.
    evening = at("2026-07-02T01:00")
    assert find_leave(evening, [new_york], DAYTIME).at == at("2026-07-02T12:00")
    assert find_leave(evening, ["America/Los_Angeles"], DAYTIME).at == evening
    assert find_leave(evening, ["America/Los_Angeles"], DAYTIME).until == at("2026-07-02T04:00")
    anywhere = plausible_zones(person(country="US"), "+18025550140", "US")
    assert {"Pacific/Honolulu", "America/Adak", new_york} <= set(anywhere)
    leave = find_leave(at("2026-07-02T06:00"), anywhere, DAYTIME)
    assert (leave.at, leave.until) == (at("2026-07-02T18:00"), at("2026-07-03T01:00"))


def test_every_gap_and_fold_of_the_calendar_is_one_instant_and_no_text_leaves_at_night(shared: Path) -> None:
    lines = (shared / "data" / "calendar" / "dst_gaps_and_folds_2024_2030.jsonl").read_text().splitlines()
    changes = [json.loads(line) for line in lines]
    assert len(changes) > 1000
    for change in changes:
        zone, instant = change["zone"], datetime.fromisoformat(change["utc"])
        starts = datetime.fromisoformat(change["wall_start"])
        inside = starts + timedelta(minutes=change["minutes"] // 2)
        minute = inside.hour * 60 + inside.minute
        half = timedelta(minutes=change["minutes"] // 2)
        found = instant_of(inside.date(), minute, zone)
        if change["kind"] == "gap":
            assert found == instant + half, change
            assert wall(found, zone) == inside + timedelta(minutes=change["minutes"]), change
        else:
            first = instant - timedelta(minutes=change["minutes"]) + half
            assert found == first, change
        leave = find_leave(instant, [zone], DAYTIME)
        assert leave.at
        assert leave.until
        assert 8 <= wall(leave.at, zone).hour < 21, change
        assert wall(leave.until, zone).hour == 21, change


def test_hours_that_leave_too_little_time_are_those_of_the_next_day() -> None:
    leave = find_leave(at("2026-03-10T20:57"), ["UTC"], DAYTIME, at_least=timedelta(minutes=5))
    assert leave.at == at("2026-03-11T08:00")


def test_zones_on_opposite_sides_of_the_world_have_no_common_hour() -> None:
    assert find_leave(at("2026-03-10T12:00"), sorted(available_timezones()), DAYTIME).at is None
    assert find_leave(at("2026-03-10T12:00"), sorted(available_timezones()), ALWAYS).at == at("2026-03-10T12:00")


def test_hours_shorter_than_what_must_be_left_of_them_never_come() -> None:
    assert find_leave(at("2026-03-10T12:00"), ["UTC"], Hours(480, 483), timedelta(minutes=5)).at is None


@pytest.mark.parametrize(
    ("where", "number", "zones"),
    [
        ({"timezone": "Asia/Tokyo", "country": "US", "region": "VT"}, "+18025550140", ["Asia/Tokyo"]),
        ({"country": "US", "region": "VT"}, "+18025550140", ["America/New_York"]),
        ({"region": "vt"}, None, ["America/New_York"]),
        ({"region": "US-TX"}, None, ["America/Chicago", "America/Denver"]),
        ({"region": "Massachusetts", "postal_code": "02139"}, None, ["America/New_York"]),
        ({"postal_code": "99501-1234"}, None, ["America/Adak", "America/Anchorage"]),
        # What they wrote of their address does not agree: both are plausible.
        ({"region": "CA", "postal_code": "05401"}, None, ["America/Los_Angeles", "America/New_York"]),
        # The number was kept from where they lived before, or they have moved since.
        ({"region": "VT"}, "+14155550140", ["America/Los_Angeles", "America/New_York"]),
        ({"country": "FR"}, "+33612345678", ["Europe/Paris"]),
        ({"country": "DE"}, None, ["Europe/Berlin", "Europe/Busingen"]),
        ({"country": "XK"}, None, ["Europe/Belgrade"]),
        ({"country": "GB", "timezone": "Middle Earth"}, None, ["Europe/London"]),
    ],
)  # fmt: skip
def test_what_is_known_narrows_the_zones(where: dict[str, str], number: str | None, zones: Sequence[str]) -> None:
    assert plausible_zones(person(**where), number, "US") == tuple(zones)


@pytest.mark.parametrize("where", [{"country": "ZZ"}, {"region": "AE"}, {"postal_code": "09012"}])
def test_whoever_may_be_anywhere_has_no_hour_until_somebody_notes_their_zone(where: dict[str, str]) -> None:
    zones = plausible_zones(person(**where), None, "US")
    assert find_leave(at("2026-03-10T12:00"), zones, DAYTIME).at is None


@given(st.integers(0, 99999))
def test_every_us_postal_code_leads_to_zones_of_the_united_states_or_to_the_forces(zip_code: int) -> None:
    customer = person(country="US", postal_code=f"{zip_code:05}")
    country, region = region_of(customer, "US")
    assert country == "US"
    assert region in {"", "AA", "AE", "AP"} or len(plausible_zones(customer, None, "US")) <= 3


def test_stricter_states_end_the_day_earlier_and_an_unknown_state_may_be_the_strictest(settings: Settings) -> None:
    def hours(**where: str) -> tuple[int, int]:
        found = hours_for(settings, "text", "checkin", person(country="US", **where))
        return found.opens, found.closes

    assert hours(region="VT") == minutes_of("08:00-21:00")
    assert hours(region="FL") == minutes_of("08:00-20:00")
    assert hours() == minutes_of("09:00-20:00")
    assert hours(timezone="America/New_York", region="VT") == minutes_of("08:00-21:00")


def test_letters_have_no_hours_emails_have_what_is_set_and_debt_has_those_of_the_law(settings: Settings) -> None:
    wide = settings.model_copy(
        update={
            "hours": HoursSettings(text="06:00-23:00", call="06:00-23:00", regions={}),
            "collecting": settings.collecting.model_copy(update={"mode": "creditor"}),
        }
    )
    them = person(country="US", region="VT")
    assert hours_for(settings, "letter", "late_payment", them) == ALWAYS
    assert hours_for(settings, "email", "checkin", them) == ALWAYS
    assert hours_for(settings, "email", "late_payment", them) == DAYTIME
    assert hours_for(wide, "email", "late_payment", them) == ALWAYS
    assert hours_for(wide, "text", "late_payment", them) == DAYTIME
    assert hours_for(wide, "call", "late_payment", them) == DAYTIME
    assert hours_for(wide, "text", "checkin", them) == Hours(360, 1380)


def test_closed_days_and_public_holidays_are_those_of_the_recipient(settings: Settings) -> None:
    closed = settings.model_copy(update={"hours": HoursSettings(closed_days=["sun"], closed_holidays=True)})
    them = person(country="US", region="VT", timezone="America/New_York")
    hours = hours_for(closed, "call", "checkin", them)
    # The fourth of July 2026 is a Saturday, kept on the Friday before, and a Sunday follows.
    assert find_leave(at("2026-07-03T15:00"), ["America/New_York"], hours).at == at("2026-07-06T12:00")
    elsewhere = hours_for(closed, "call", "checkin", person(country="FR"))
    assert find_leave(at("2026-07-03T15:00"), ["Europe/Paris"], elsewhere).at == at("2026-07-03T15:00")
    assert hours_for(closed, "email", "checkin", them) == ALWAYS


@pytest.mark.parametrize(
    ("words", "leaves_at"),
    [
        ("sun", "2026-03-10T12:00"),
        ("tue", "2026-03-11T08:00"),
        ("Tue 09:00-12:30", "2026-03-10T12:30"),
        ("11:00-14:00, tue 14:00-15:00", "2026-03-10T15:00"),
        ("not while I sleep", None),
        ("12:00-11:00", None),
        ("", None),
    ],
)
def test_hours_they_told_us_of_are_kept_and_words_that_cannot_be_read_close_the_week(
    settings: Settings, words: str, leaves_at: str | None
) -> None:
    hours = hours_for(settings, "text", "checkin", person(timezone="UTC", region="VT"), [words])
    assert find_leave(at("2026-03-10T12:00"), ["UTC"], hours).at == (at(leaves_at) if leaves_at else None)


def test_barred_hours_are_barred_on_their_days_only() -> None:
    hours = Hours(barred=(Barred(frozenset({1}), 60, 120),))
    assert not is_open(at("2026-03-10T01:30"), ["UTC"], hours)
    assert is_open(at("2026-03-10T02:00"), ["UTC"], hours)
    assert is_open(at("2026-03-11T01:30"), ["UTC"], hours)


@pytest.mark.parametrize("hours", ["8-21", "21:00-08:00", "08:00-08:00", "08:00-24:30", "all day"])
def test_hours_that_are_none_are_refused(hours: str) -> None:
    with pytest.raises(ValidationError, match="write them like 08:00-21:00"):
        HoursSettings(text=hours)
    with pytest.raises(ValidationError):
        HoursSettings(regions={"US-FL": hours})


def test_a_region_is_written_with_its_country() -> None:
    with pytest.raises(ValidationError, match="US-FL"):
        HoursSettings(regions={"Florida": "08:00-20:00"})
