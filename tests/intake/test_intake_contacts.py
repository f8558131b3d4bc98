"""One contact in every spelling comes to one hash, and the key that makes the hashes is never lost unseen."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from outreach.contacts import contact_hash, load_key, normalise_address, normalise_email, normalise_phone
from outreach.database import reading, writing
from outreach.errors import DatabaseError, SettingsError
from outreach.models import Installation, Suppression
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "spelling",
    ["Jane.Doe@bücher.example", "JANE.DOE@BÜCHER.EXAMPLE", " jane.doe@xn--bcher-kva.example ",
     "ｊａｎｅ．ｄｏｅ＠ｂüｃｈｅｒ．ｅｘａｍｐｌｅ", "jane.doe@bu\u0308cher.example"],
)  # fmt: skip
def test_an_address_is_one_whatever_its_case_width_or_alphabet_of_its_domain(spelling: str) -> None:
    assert normalise_email(spelling) == "jane.doe@xn--bcher-kva.example"


@pytest.mark.parametrize("wrong", ["", "jane", "@home.example", "a b@home.example", "a@home.example\nBcc: x@y.example"])
def test_what_cannot_be_an_address_is_none(wrong: str) -> None:
    assert normalise_email(wrong) is None


@pytest.mark.parametrize(
    "spelling",
    ["+1 415 555 2671", "(415) 555-2671", "415.555.2671", "1-415-555-2671",
     "+1 (415) 555-2671", "＋１ ４１５ ５５５ ２６７１",
     "٤١٥٥٥٥٢٦٧١", "tel:+1-415-555-2671"],
)  # fmt: skip
def test_a_number_is_one_however_it_is_written(spelling: str) -> None:
    assert normalise_phone(spelling, "US") == "+14155552671"


@pytest.mark.parametrize(
    ("wrong", "region"), [("", "US"), ("ask at desk", "US"), ("12", "US"), ("415 555 2671", "Narnia")]
)
def test_what_cannot_be_a_number_is_none(wrong: str, region: str) -> None:
    assert normalise_phone(wrong, region) is None


def test_the_libraries_own_numbers_come_to_their_e164_form_in_both_spellings(shared: Path) -> None:
    lines = (shared / "data" / "phones" / "libphonenumber_examples.jsonl").read_text().splitlines()
    examples = [example for example in map(json.loads, lines) if example["valid"]]
    assert len(examples) > 500
    for example in examples:
        assert normalise_phone(example["international"], "US") == example["e164"]
        assert normalise_phone(example["national"], example["region"]) == example["e164"]


def test_every_address_in_the_public_lists_is_taken_or_refused_without_an_error(shared: Path) -> None:
    for name in ("email_validator_pkg.jsonl", "json_schema_email.jsonl"):
        for line in (shared / "data" / "emails" / name).read_text().splitlines():
            found = normalise_email(json.loads(line)["email"])
            assert found is None or normalise_email(found) == found


def test_a_postal_address_is_one_whatever_its_punctuation_and_case() -> None:
    one = normalise_address(["8 Elm Street, Apt. 3", "Burlington", "VT"], "05401", "US")
    assert one == normalise_address(["8 ELM STREET APT 3", "", "burlington,", " vt "], "05401 ", "us")
    assert one == "us|05401|8 elm street apt 3 burlington vt"
    assert one != normalise_address(["8 Elm Street, Apt. 4", "Burlington", "VT"], "05401", "US")
    assert normalise_address(["1 Straße"], "SW1A 1AA", "GB") == normalise_address(["1 STRASSE"], "sw1a1aa", "GB")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise_address([text], None, "US")
    assert normalise_address([once.split("|", 2)[2]], None, "US") == once
    email = normalise_email(text)
    assert email is None or normalise_email(email) == email


def test_a_hash_depends_on_key_channel_and_contact_and_shows_none_of_them() -> None:
    hashed = contact_hash(b"key", "text", "+14155552671")
    assert len(hashed) == 64
    assert len({hashed, contact_hash(b"other", "text", "+14155552671"), contact_hash(b"key", "call", "+14155552671"),
                contact_hash(b"key", "text", "+14155552672")}) == 4  # fmt: skip


def without_secret(settings: Settings, path: Path) -> Settings:
    return settings.model_copy(update={"secret": None, "secret_file": path})


def test_the_secret_is_made_once_and_only_its_owner_may_read_it(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    key = load_key(sqlite_engine, without_secret(settings, path))
    assert len(key) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(sqlite_engine, without_secret(settings, path)) == key
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("secret")] == ["secret"]


def test_many_that_start_at_once_get_the_same_secret(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    changed = without_secret(settings, tmp_path / "secret")
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_key(sqlite_engine, changed), range(16)))
    assert len(keys) == 1


def test_another_secret_is_refused_once_someone_has_said_no(engine: Engine, settings: Settings) -> None:
    load_key(engine, settings)
    other = settings.model_copy(update={"secret": type(settings.secret)("another")})
    assert load_key(engine, other) == b"another"
    with writing(engine) as session:
        session.add(Suppression(contact_hash="ab" * 32, channel="email", source="unsubscribed", at=NOW))
    assert load_key(engine, other) == b"another"
    with pytest.raises(DatabaseError, match="1 do-not-contact entries can only be matched with the old one"):
        load_key(engine, settings)
    with reading(engine) as session:
        fingerprint = session.get_one(Installation, 1).key_fingerprint
    assert fingerprint
    assert "another" not in fingerprint


def test_a_secret_file_that_cannot_be_used_is_an_error_that_names_it(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "empty", tmp_path / "nowhere" / "secret", tmp_path):
        with pytest.raises(SettingsError, match=path.name):
            load_key(sqlite_engine, without_secret(settings, path))
