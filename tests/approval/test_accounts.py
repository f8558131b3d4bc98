"""Accounts: passwords, sign-ins that end, tries that have to wait, and what happens to them when people change."""

import itertools
import multiprocessing
from datetime import datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, text
from sqlmodel import select

from conftest import NOW, OWN_HASHER
from outreach.approval import passwords
from outreach.approval.accounts import (
    Caller,
    SignedIn,
    change_password,
    find_signed_in,
    let_in,
    let_in_by_account,
    list_sign_ins,
    must_choose_password,
    note_seen,
    sign_out,
    sign_out_everywhere,
)
from outreach.approval.audit import find_break
from outreach.approval.staff import add_staff, give_first_password, invite_somebody, remove_staff, take_password
from outreach.database import open_database, reading, writing
from outreach.errors import ApprovalError, NotFound, NotLetIn, PasswordRefused, TooManyTries
from outreach.models import AuditEntry, Failure, SignIn, Staff
from outreach.settings import Settings
from processes import PROCESSES

PASSWORD = "copper violin and seven plums"
OFFICE = Caller("203.0.113.7")
FAR_AWAY = Caller("198.51.100.99")


def hire(engine: Engine, staff_id: str = "maria", email: str | None = None, password: str = PASSWORD) -> None:
    with writing(engine) as session:
        add_staff(session, staff_id, staff_id.title(), "approver", NOW, email)
        take_password(session, staff_id, password, "Alder Lane Dental", NOW)


def enter(
    engine: Engine, settings: Settings, password: str = PASSWORD, who: str = "maria", at: datetime = NOW,
    caller: Caller = OFFICE,
) -> SignedIn:  # fmt: skip
    return let_in(engine, settings, who, password, caller, at)


def fail(engine: Engine, settings: Settings, times: int, **how: Any) -> None:
    for _ in range(times):
        with pytest.raises(NotLetIn):
            enter(engine, settings, "not the password", **how)


def who_is(engine: Engine, settings: Settings, token: str, at: datetime = NOW) -> str | None:
    with reading(engine) as session:
        found = find_signed_in(session, settings.desk, token, at)
    return found[1].staff_id if found else None


def rows(engine: Engine, table: type[Any]) -> list[Any]:
    with reading(engine) as session:
        return list(session.exec(select(table)).all())


def test_the_right_password_signs_in_and_any_other_does_not(engine: Engine, settings: Settings) -> None:
    hire(engine)
    entry = enter(engine, settings)
    assert who_is(engine, settings, entry.token) == "maria"
    fail(engine, settings, 1)
    assert who_is(engine, settings, "0" * 64) is None
    assert who_is(engine, settings, "") is None


def test_an_id_in_capitals_or_an_e_mail_address_will_do_for_a_name(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine, email="maria@practice.example")
    for typed in ("Maria", " maria ", "MARIA@Practice.example"):
        assert enter(sqlite_engine, settings, who=typed).staff_id == "maria"


def test_a_wrong_password_and_an_unknown_name_are_told_in_the_same_words(engine: Engine, settings: Settings) -> None:
    hire(engine)
    with writing(engine) as session:
        add_staff(session, "jon", "Jon", "approver", NOW)
    told = set()
    for who in ("maria", "jon", "nobody", "", "a\0b", "x" * 5000):
        with pytest.raises(NotLetIn) as caught:
            enter(engine, settings, "not the password", who=who, caller=Caller(who[:9]))
        told.add(str(caught.value))
    assert len(told) == 1


def test_as_much_work_is_done_for_an_unknown_name_as_for_a_known_one(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_hasher", OWN_HASHER)
    passwords._nobodys_hash.cache_clear()
    hire(sqlite_engine)
    verified: list[str] = []
    real = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, hashed, given: verified.append(hashed) or real(self, hashed, given)
    )
    fail(sqlite_engine, settings, 1)
    fail(sqlite_engine, settings, 1, who="nobody")
    parameters = {hashed.rsplit("$", 2)[0] for hashed in verified}
    assert len(verified) == 2
    assert parameters == {"$argon2id$v=19$m=47104,t=2,p=1"}


def test_neither_passwords_nor_cookies_stand_in_the_database(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    with writing(sqlite_engine) as session:
        add_staff(session, "jon", "Jon", "viewer", NOW)
        first = give_first_password(session, "jon", NOW)
    entry = enter(sqlite_engine, settings)
    with sqlite_engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert "argon2id" in dump
    for secret in (PASSWORD, first, entry.token, entry.known.partition(".")[2]):
        assert secret not in dump


def test_a_first_password_is_four_groups_that_nobody_can_guess_and_is_to_be_changed(
    sqlite_engine: Engine, settings: Settings
) -> None:
    drawn = itertools.count(7)
    with writing(sqlite_engine) as session:
        add_staff(session, "maria", "Maria", "approver", NOW)
        first = give_first_password(session, "maria", NOW, lambda size: next(drawn).to_bytes(size, "big"))
        second = give_first_password(session, "maria", NOW, lambda size: next(drawn).to_bytes(size, "big"))
    assert [len(group) for group in first.split("-")] == [4, 4, 4, 4]
    assert first != second
    with pytest.raises(NotLetIn):
        enter(sqlite_engine, settings, first)
    entry = enter(sqlite_engine, settings, second)
    with reading(sqlite_engine) as session:
        found = find_signed_in(session, settings.desk, entry.token, NOW)
        assert found
        assert must_choose_password(*found)


def test_no_two_first_passwords_that_are_drawn_at_random_are_alike() -> None:
    made = {passwords.make_first_password() for _ in range(500)}
    assert len(made) == 500
    assert {len(password) for password in made} == {19}


@pytest.mark.parametrize(
    "bad",
    [
        "", "short", "eleven char", "x" * 129, "password1234", "Password-2026!", "passwordpassword", "aldérlane",
        "AlderLaneDental1", "alder lane dental", "Maria.Stone.1987", "maria maria maria", "MARIA-password",
        "123456789012", "qwertyuiop12", "aaaaaaaaaaaaaaaa", "abababababababab", "            ",
    ],
)  # fmt: skip
def test_a_password_that_is_short_or_easily_guessed_is_refused(bad: str) -> None:
    with pytest.raises(PasswordRefused):
        passwords.require_good_password(bad, ["Alder Lane Dental", "maria", "Maria Stone"])


@pytest.mark.parametrize(
    "good",
    [
        PASSWORD,
        "k7qf-2m9x-tb4d-w3hn",
        "Schäferhund am Fenster",
        "пароль из трёх слов",
        "x7!Q#9zLm2&v",
        "猫がテーブルの上で寝ている",
    ],
)
def test_a_password_of_unrelated_words_or_of_chance_is_taken(good: str) -> None:
    passwords.require_good_password(good, ["Alder Lane Dental", "maria", "Maria Stone"])


def test_a_letter_and_its_accent_are_one_however_the_keyboard_sends_them(
    sqlite_engine: Engine, settings: Settings
) -> None:
    hire(sqlite_engine, password="Scha\u0308ferhund am Fenster")
    assert enter(sqlite_engine, settings, "Sch\u00e4ferhund am Fenster").staff_id == "maria"


def test_a_password_costs_whoever_guesses_it_at_least_what_owasp_names() -> None:
    # https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html: once with 46 MiB.
    assert passwords.KIBIBYTES >= 46 * 1000
    assert passwords.TIMES >= 1


def test_a_password_hashed_with_older_parameters_still_fits_and_is_hashed_anew(
    engine: Engine, settings: Settings
) -> None:
    hire(engine)
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with writing(engine) as session:
        session.get_one(Staff, "maria").password_hash = old
    enter(engine, settings)
    [maria] = rows(engine, Staff)
    assert maria.password_hash != old
    assert not passwords.is_outdated(maria.password_hash)
    enter(engine, settings)


def test_a_hash_that_is_broken_lets_nobody_in(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    with writing(sqlite_engine) as session:
        session.get_one(Staff, "maria").password_hash = "$argon2id$broken"
    with pytest.raises(NotLetIn):
        enter(sqlite_engine, settings)


def test_each_sign_in_has_a_token_of_its_own_of_256_bits(engine: Engine, settings: Settings) -> None:
    hire(engine)
    tokens = {enter(engine, settings).token for _ in range(3)}
    assert len(tokens) == 3
    assert {len(bytes.fromhex(token)) for token in tokens} == {32}


def test_a_sign_in_ends_after_its_hours_however_much_it_is_used(engine: Engine, settings: Settings) -> None:
    hire(engine)
    token, at = enter(engine, settings).token, NOW
    while at < NOW + timedelta(hours=12):
        assert who_is(engine, settings, token, at) == "maria"
        [entry] = rows(engine, SignIn)
        note_seen(engine, entry, at)
        at += timedelta(hours=1)
    assert who_is(engine, settings, token, at) is None


def test_a_sign_in_ends_when_it_was_not_used_for_a_while(engine: Engine, settings: Settings) -> None:
    hire(engine)
    token = enter(engine, settings).token
    almost = NOW + timedelta(minutes=119, seconds=59)
    assert who_is(engine, settings, token, almost) == "maria"
    assert who_is(engine, settings, token, almost + timedelta(seconds=1)) is None


def test_that_a_sign_in_was_used_is_written_at_most_once_a_minute(engine: Engine, settings: Settings) -> None:
    hire(engine)
    enter(engine, settings)
    [entry] = rows(engine, SignIn)
    note_seen(engine, entry, NOW + timedelta(seconds=59))
    assert rows(engine, SignIn)[0].seen_at == NOW
    note_seen(engine, entry, NOW + timedelta(seconds=60))
    assert rows(engine, SignIn)[0].seen_at == NOW + timedelta(seconds=60)
    # A slower process must not turn it back.
    note_seen(engine, entry.model_copy(update={"seen_at": NOW - timedelta(hours=1)}), NOW)
    assert rows(engine, SignIn)[0].seen_at == NOW + timedelta(seconds=60)


def test_signing_out_ends_this_browser_and_signing_out_everywhere_all_of_mine(
    engine: Engine, settings: Settings
) -> None:
    hire(engine)
    hire(engine, "jon")
    one, two, three = (enter(engine, settings).token for _ in range(3))
    other = enter(engine, settings, who="jon").token
    with writing(engine) as session:
        sign_out(session, one, NOW)
    assert [who_is(engine, settings, token) for token in (one, two, three)] == [None, "maria", "maria"]
    with writing(engine) as session:
        assert sign_out_everywhere(session, "maria", NOW) == 2
    assert [who_is(engine, settings, token) for token in (two, three, other)] == [None, None, "jon"]


def test_where_one_is_signed_in_is_listed_with_the_last_used_first(engine: Engine, settings: Settings) -> None:
    hire(engine)
    enter(engine, settings, at=NOW - timedelta(hours=3), caller=Caller("203.0.113.7", browser="Safari on iPad"))
    enter(engine, settings, at=NOW - timedelta(hours=1), caller=Caller("203.0.113.7", browser="Firefox on Windows"))
    enter(engine, settings, caller=Caller("203.0.113.7", browser="Safari on iPhone"))
    with reading(engine) as session:
        listed = list_sign_ins(session, settings.desk, "maria", NOW)
    assert [entry.browser for entry in listed] == ["Safari on iPhone", "Firefox on Windows"]


def test_sign_ins_that_are_over_are_swept_away_by_the_next_one(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    enter(sqlite_engine, settings)
    enter(sqlite_engine, settings, at=NOW + timedelta(hours=13))
    assert len(rows(sqlite_engine, SignIn)) == 1


def test_removing_someone_ends_their_sign_ins_at_once_and_their_password(engine: Engine, settings: Settings) -> None:
    hire(engine, email="maria@practice.example")
    token = enter(engine, settings).token
    with writing(engine) as session:
        remove_staff(session, "maria", NOW)
    assert who_is(engine, settings, token) is None
    fail(engine, settings, 1)
    with pytest.raises(NotLetIn):
        enter(engine, settings)
    with writing(engine) as session:
        brought_back = add_staff(session, "maria", "Maria", "viewer", NOW)
        assert (brought_back.password_hash, brought_back.email) == (None, None)
    assert who_is(engine, settings, token) is None


def test_a_new_first_password_ends_all_sign_ins_and_the_old_password(engine: Engine, settings: Settings) -> None:
    hire(engine)
    token = enter(engine, settings).token
    with writing(engine) as session:
        first = give_first_password(session, "maria", NOW)
    assert who_is(engine, settings, token) is None
    fail(engine, settings, 1)
    assert enter(engine, settings, first).staff_id == "maria"


def test_a_lower_role_is_in_force_at_the_very_next_look(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    token = enter(sqlite_engine, settings).token
    with writing(sqlite_engine) as session:
        add_staff(session, "maria", "Maria", "viewer", NOW)
    with reading(sqlite_engine) as session:
        found = find_signed_in(session, settings.desk, token, NOW)
    assert found
    assert found[1].role == "viewer"


def test_choosing_a_password_needs_the_old_one_and_ends_all_other_sign_ins(engine: Engine, settings: Settings) -> None:
    hire(engine)
    here, there = enter(engine, settings).token, enter(engine, settings).token
    new = "eleven blue kettles on ice"
    with pytest.raises(NotLetIn, match="present password"):
        change_password(engine, settings, here, "not the password", new, OFFICE, NOW)
    with pytest.raises(PasswordRefused, match="easily guessed"):
        change_password(engine, settings, here, PASSWORD, "maria alder lane 1", OFFICE, NOW)
    with pytest.raises(PasswordRefused, match="is the old one"):
        change_password(engine, settings, here, PASSWORD, PASSWORD, OFFICE, NOW)
    change_password(engine, settings, here, PASSWORD, new, OFFICE, NOW)
    assert [who_is(engine, settings, token) for token in (here, there)] == ["maria", None]
    assert enter(engine, settings, new).staff_id == "maria"
    with pytest.raises(NotLetIn, match="not signed in any more"):
        change_password(engine, settings, there, new, PASSWORD, OFFICE, NOW)


def test_guessing_the_old_password_of_a_desk_left_open_has_to_wait_too(
    sqlite_engine: Engine, settings: Settings
) -> None:
    hire(sqlite_engine)
    token = enter(sqlite_engine, settings).token
    for _ in range(5):
        with pytest.raises(NotLetIn):
            change_password(sqlite_engine, settings, token, "a guess", "eleven blue kettles", OFFICE, NOW)
    with pytest.raises(TooManyTries):
        change_password(sqlite_engine, settings, token, PASSWORD, "eleven blue kettles", OFFICE, NOW)


def test_after_five_failures_one_waits_a_minute_then_twice_as_long_up_to_a_quarter_of_an_hour(
    engine: Engine, settings: Settings
) -> None:
    hire(engine)
    fail(engine, settings, 5)
    at, waits = NOW, []
    for _ in range(7):
        with pytest.raises(TooManyTries) as caught:
            enter(engine, settings, at=at)
        waits.append(caught.value.wait)
        at += caught.value.wait
        fail(engine, settings, 1, at=at)
    assert [wait / timedelta(minutes=1) for wait in waits] == [1, 2, 4, 8, 15, 15, 15]
    assert "Wait 15 minutes" in str(caught.value)


def test_trying_while_one_has_to_wait_never_makes_the_wait_longer(engine: Engine, settings: Settings) -> None:
    hire(engine)
    fail(engine, settings, 5)
    for seconds in range(60):
        with pytest.raises(TooManyTries):
            enter(engine, settings, "not the password", at=NOW + timedelta(seconds=seconds))
    assert enter(engine, settings, at=NOW + timedelta(seconds=60)).staff_id == "maria"


def test_a_sign_in_clears_what_was_counted_against_the_name_and_only_itself_from_the_address(
    engine: Engine, settings: Settings
) -> None:
    hire(engine)
    hire(engine, "jon")
    fail(engine, settings, 4)
    fail(engine, settings, 2, who="jon")
    enter(engine, settings)
    assert sorted(failure.count for failure in rows(engine, Failure)) == [2, 6]
    fail(engine, settings, 4)
    enter(engine, settings)


def test_a_name_that_does_not_exist_has_to_wait_like_any_other(sqlite_engine: Engine, settings: Settings) -> None:
    fail(sqlite_engine, settings, 5, who="nobody")
    with pytest.raises(TooManyTries):
        enter(sqlite_engine, settings, who="Nobody")


def test_one_address_has_to_wait_after_twenty_failures_whatever_names_it_tries(
    engine: Engine, settings: Settings
) -> None:
    hire(engine)
    for number in range(20):
        fail(engine, settings, 1, who=f"name{number}", caller=FAR_AWAY)
    with pytest.raises(TooManyTries):
        enter(engine, settings, who="name99", caller=FAR_AWAY)
    assert enter(engine, settings).staff_id == "maria"


def test_addresses_of_one_ipv6_subscriber_count_as_one(sqlite_engine: Engine, settings: Settings) -> None:
    for number in range(20):
        fail(sqlite_engine, settings, 1, who=f"name{number}", caller=Caller(f"2001:db8:1:2:{number:x}::1"))
    with pytest.raises(TooManyTries):
        enter(sqlite_engine, settings, who="other", caller=Caller("2001:db8:1:2:ffff::9"))
    fail(sqlite_engine, settings, 1, who="other", caller=Caller("2001:db8:1:3::9"))


def test_nobody_is_kept_out_of_a_browser_they_know_by_someone_who_tries_their_name_from_elsewhere(
    engine: Engine, settings: Settings
) -> None:
    hire(engine)
    known = enter(engine, settings).known
    fail(engine, settings, 5, caller=FAR_AWAY)
    with pytest.raises(TooManyTries):
        enter(engine, settings)
    assert enter(engine, settings, caller=Caller("203.0.113.7", known)).staff_id == "maria"
    # … and that does not let the other one go on either.
    with pytest.raises(TooManyTries):
        enter(engine, settings, caller=FAR_AWAY)


def test_a_known_browser_gives_no_more_free_guesses_than_any_other_and_none_at_other_names(
    engine: Engine, settings: Settings
) -> None:
    hire(engine)
    hire(engine, "jon")
    mine = Caller("203.0.113.7", enter(engine, settings).known)
    fail(engine, settings, 5, caller=mine)
    with pytest.raises(TooManyTries):
        enter(engine, settings, caller=mine)
    fail(engine, settings, 5, who="jon", caller=mine)
    with pytest.raises(TooManyTries):
        enter(engine, settings, who="jon")


def test_several_people_of_one_front_desk_are_each_known_there(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    hire(sqlite_engine, "jon")
    first = enter(sqlite_engine, settings).known
    both = enter(sqlite_engine, settings, who="jon", caller=Caller("203.0.113.7", first)).known
    for who in ("maria", "jon"):
        fail(sqlite_engine, settings, 5, who=who, caller=FAR_AWAY)
        entry = enter(sqlite_engine, settings, who=who, caller=Caller("203.0.113.7", both))
        assert entry.known == both


@pytest.mark.parametrize("forged", ["", ".", "a.b", "~~~", "0" * 32 + "." + "0" * 64, "ü.ü"])
def test_a_browser_cannot_make_itself_known(sqlite_engine: Engine, settings: Settings, forged: str) -> None:
    hire(sqlite_engine)
    fail(sqlite_engine, settings, 5, caller=FAR_AWAY)
    with pytest.raises(TooManyTries):
        enter(sqlite_engine, settings, caller=Caller("203.0.113.7", forged))


def test_failures_are_kept_as_keyed_hashes_and_forgotten_after_a_day(sqlite_engine: Engine, settings: Settings) -> None:
    fail(sqlite_engine, settings, 3, who="nobody")
    kept = [failure.subject for failure in rows(sqlite_engine, Failure)]
    assert len(kept) == 2
    assert {len(subject) for subject in kept} == {64}
    fail(sqlite_engine, settings, 1, who="another", at=NOW + timedelta(days=1, seconds=1))
    assert not {failure.subject for failure in rows(sqlite_engine, Failure) if failure.count > 1}


def _guess(url: str, settings: Settings, number: int, results: "multiprocessing.Queue[str]") -> None:
    try:
        let_in(open_database(url), settings, "maria", f"guess {number}", Caller(f"192.0.2.{number}"), NOW)
    except (NotLetIn, TooManyTries) as error:
        results.put(type(error).__name__)


def test_guesses_made_at_once_by_many_processes_are_no_more_than_five(
    database_url: str, engine: Engine, settings: Settings
) -> None:
    hire(engine)
    results: multiprocessing.Queue[str] = PROCESSES.Queue()
    workers = [PROCESSES.Process(target=_guess, args=(database_url, settings, n, results)) for n in range(8)]
    for worker in workers:
        worker.start()
    told = sorted(results.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join()
    assert told == ["NotLetIn"] * 5 + ["TooManyTries"] * 3


def test_an_account_elsewhere_lets_in_only_whom_the_staff_records_know_by_that_address(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as session:
        add_staff(session, "maria", "Maria", "approver", NOW, "Maria@Practice.example")
    entry = let_in_by_account(engine, settings, "maria@practice.EXAMPLE", OFFICE, NOW)
    with reading(engine) as session:
        found = find_signed_in(session, settings.desk, entry.token, NOW)
        assert found
        assert not must_choose_password(*found)
    with pytest.raises(NotLetIn, match="Nobody here"):
        let_in_by_account(engine, settings, "eve@practice.example", OFFICE, NOW)
    with writing(engine) as session:
        remove_staff(session, "maria", NOW)
    with pytest.raises(NotLetIn):
        let_in_by_account(engine, settings, "maria@practice.example", OFFICE, NOW)
    assert len(rows(engine, Staff)) == 1


def test_an_e_mail_address_belongs_to_one_person_and_is_free_again_when_they_leave(engine: Engine) -> None:
    with writing(engine) as session:
        add_staff(session, "maria", "Maria", "approver", NOW, "desk@practice.example")
    with writing(engine) as session, pytest.raises(ApprovalError, match="maria has this e-mail address"):
        add_staff(session, "jon", "Jon", "approver", NOW, "Desk@practice.example")
    with writing(engine) as session, pytest.raises(ApprovalError, match="not an e-mail address"):
        add_staff(session, "jon", "Jon", "approver", NOW, "desk at practice")
    with writing(engine) as session:
        remove_staff(session, "maria", NOW)
        assert add_staff(session, "jon", "Jon", "approver", NOW, "desk@practice.example").email


def test_changing_a_role_keeps_the_address_the_password_and_the_sign_ins(
    sqlite_engine: Engine, settings: Settings
) -> None:
    hire(sqlite_engine, email="maria@practice.example")
    token = enter(sqlite_engine, settings).token
    with writing(sqlite_engine) as session:
        member = add_staff(session, "maria", "Maria Stone", "admin", NOW)
        assert (member.email, bool(member.password_hash)) == ("maria@practice.example", True)
        assert add_staff(session, "maria", "Maria Stone", "admin", NOW, email="").email is None
    assert who_is(sqlite_engine, settings, token) == "maria"


@pytest.mark.parametrize("staff_id", ["", "the planner", "command line", "by rule", "a/b", "../x", "-x", "x" * 65])
def test_nobody_can_be_given_a_name_of_the_programs_own_or_one_that_is_no_word(
    sqlite_engine: Engine, staff_id: str
) -> None:
    with writing(sqlite_engine) as session, pytest.raises(ApprovalError, match="cannot be an id"):
        add_staff(session, staff_id, "X", "approver", NOW)


def test_a_password_for_somebody_unknown_is_refused(sqlite_engine: Engine) -> None:
    with writing(sqlite_engine) as session, pytest.raises(NotFound):
        give_first_password(session, "nobody", NOW)
    with writing(sqlite_engine) as session, pytest.raises(NotFound):
        take_password(session, "nobody", PASSWORD, "", NOW)


def test_what_people_do_with_their_accounts_is_in_the_audit_without_a_contact(
    engine: Engine, settings: Settings
) -> None:
    hire(engine, email="maria@practice.example")
    token = enter(engine, settings).token
    change_password(engine, settings, token, PASSWORD, "eleven blue kettles on ice", OFFICE, NOW)
    with writing(engine) as session:
        sign_out(session, token, NOW)
        sign_out(session, token, NOW)
        assert find_break(session) is None
    entries = rows(engine, AuditEntry)
    acts = [(entry.actor, entry.act) for entry in sorted(entries, key=lambda entry: entry.sequence)]
    assert acts == [
        ("command line", "staff added"), ("command line", "password set"), ("maria", "signed in"),
        ("maria", "password changed"), ("maria", "signed out"),
    ]  # fmt: skip
    assert not [entry for entry in entries if "@" in f"{entry.subject}{entry.detail}"]


def test_someone_removed_while_their_password_was_being_checked_is_not_let_in(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire(engine)
    real = PasswordHasher.verify

    def verify_slowly(self: PasswordHasher, hashed: str, given: str) -> bool:
        with writing(engine) as session:
            remove_staff(session, "maria", NOW)
        return real(self, hashed, given)

    monkeypatch.setattr(PasswordHasher, "verify", verify_slowly)
    with pytest.raises(NotLetIn):
        enter(engine, settings)
    assert rows(engine, SignIn) == []


def test_the_database_itself_knows_no_other_way_in(engine: Engine, settings: Settings) -> None:
    hire(engine)
    enter(engine, settings)
    with pytest.raises(Exception, match="how_is_known"), writing(engine) as session:
        session.connection().execute(text("UPDATE sign_ins SET how = 'a link'"))


def test_where_nobody_could_sign_in_to_approve_the_first_approver_is_invited_once(engine: Engine) -> None:
    with writing(engine) as session:
        assert invite_somebody(session, False, NOW) is None, "there is nobody"
        add_staff(session, "vic", "Vic Lund", "viewer", NOW)
        assert invite_somebody(session, False, NOW) is None, "a viewer cannot approve"
        add_staff(session, "nora", "Nora Whitcomb", "approver", NOW, email="nora@alder.example")
        session.flush()
        assert invite_somebody(session, True, NOW) is None, "her account lets her in"
        invited = invite_somebody(session, False, NOW)
        assert invited is not None
        assert invited[0].staff_id == "nora"
        assert invite_somebody(session, False, NOW) is None, "a password is shown once"
