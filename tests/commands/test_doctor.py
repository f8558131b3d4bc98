"""The doctor on real parts: a mail server and a DNS server on this machine, files, and messages composed to bytes."""

import shutil
from collections.abc import Mapping, Sequence
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from checkout import PROJECT
from conftest import NOW
from dns_server import dns_server
from mail_server import PASSWORD, USER, mail_server, write_certificate
from outreach.approval.staff import add_staff
from outreach.contacts import contact_hash, load_key
from outreach.database import reading, writing
from outreach.delivery.control import pauses
from outreach.delivery.staff_mail.notices import is_notice
from outreach.doctor import mail_domain
from outreach.doctor.file_modes import find_open_files
from outreach.doctor.mail_domain import examine_domain
from outreach.doctor.mail_login import find_login_fault
from outreach.doctor.specimens import find_specimen_faults
from outreach.doctor.trial_email import send_test_email
from outreach.errors import ComposingError, NotAllowed, NotFound, NotSent, Refused, SettingsError
from outreach.models import AuditEntry, Installation, Message, Suppression
from outreach.settings import Settings, SmtpSettings

OURS = "owner@alderlane.example"


def by_smtp(settings: Settings, domain: str = "alderlane.example", mode: str = "live", **smtp: object) -> Settings:
    server = SmtpSettings(**({"host": "127.0.0.1", "security": "none", "timeout_seconds": 5} | smtp))
    return settings.model_copy(
        update={
            "mode": mode,
            "providers": settings.providers.model_copy(update={"email": "smtp", "smtp": server}),
            "business": settings.business.model_copy(
                update={"email": f"hello@{domain}", "public_url": "https://desk.alderlane.example"}
            ),
        }
    )


# --- the mail server ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls") / "mail.pem")


@pytest.mark.parametrize("mode", ["live", "rehearsal"])
def test_the_doctor_logs_in_to_the_mail_server_and_gives_it_no_message(
    settings: Settings, certificate: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(starttls=certificate, login=True) as server:
        own = by_smtp(settings, mode=mode, port=server.port, security="starttls", username=USER, password=PASSWORD)
        assert find_login_fault(own) == ""
    assert server.commands == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert server.taken == []


def test_a_wrong_password_is_told_as_a_wrong_password_and_not_shown(
    settings: Settings, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(starttls=certificate, login=True) as server:
        own = by_smtp(settings, port=server.port, security="starttls", username=USER, password="not-the-right-one")
        with pytest.raises(NotSent, match="refuses the name or the password \\(535\\)") as told:
            find_login_fault(own)
    assert "not-the-right-one" not in str(told.value)
    assert USER not in str(told.value)


def test_a_server_that_nobody_vouches_for_or_that_is_not_there_is_told_apart_from_a_password(
    settings: Settings, certificate: Path
) -> None:
    with mail_server(starttls=certificate) as server, pytest.raises(NotSent, match="certificate is wrong"):
        find_login_fault(by_smtp(settings, port=server.port, security="starttls"))
    with pytest.raises(NotSent, match="did not answer"):
        find_login_fault(by_smtp(settings, port=server.port))


def test_without_a_mail_server_nothing_is_asked(settings: Settings) -> None:
    assert find_login_fault(settings) == ""
    assert find_login_fault(by_smtp(settings, host="")) == ""


# --- one message of each kind ---


def test_one_message_of_each_kind_and_channel_is_composed_as_it_would_leave(
    sqlite_engine: Engine, every_moment: Settings
) -> None:
    assert find_specimen_faults(sqlite_engine, by_smtp(every_moment), NOW) == ""
    with reading(sqlite_engine) as session:
        assert session.exec(select(Message)).all() == []


@pytest.mark.parametrize("country", ["AU", "IE", "DE", "HK"])
def test_the_sample_customer_has_an_address_that_the_business_country_can_have(
    sqlite_engine: Engine, every_moment: Settings, country: str
) -> None:
    there = every_moment.model_copy(update={"business": every_moment.business.model_copy(update={"country": country})})
    assert "postal_code" not in find_specimen_faults(sqlite_engine, there, NOW)


def with_template(settings: Settings, tmp_path: Path, name: str, old: str, new: str) -> Settings:
    shutil.copytree(PROJECT / "templates", tmp_path / "templates")
    file = tmp_path / "templates" / name
    source = file.read_text()
    assert old in source
    file.write_text(source.replace(old, new, 1))
    only = {"checkin": settings.moments["checkin"] | {"channels": ["email", "text"]}}
    return settings.model_copy(update={"templates": tmp_path / "templates", "moments": settings.moments | only})


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("emails/checkin.en.html", "{{ greeting }}", "{{ greting }}", "checkin by email: emails/checkin.en.html, line"),
        ("texts/checkin.en.txt", "{{ greeting }}", "{{ greeting }} " + "word " * 120, "checkin by text: "),
    ],
)
def test_a_kind_that_cannot_be_composed_is_named_with_its_channel_and_its_fault(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, name: str, old: str, new: str, says: str
) -> None:
    broken = with_template(settings, tmp_path, name, old, new)
    (fault,) = find_specimen_faults(sqlite_engine, broken, NOW).splitlines()
    assert fault.startswith(says)


def test_a_fault_that_all_share_is_one_line_and_a_mistake_of_the_program_is_one_too(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = settings.model_copy(update={"business": settings.business.model_copy(update={"signatories": []})})
    (told,) = find_specimen_faults(sqlite_engine, nobody, NOW).splitlines()
    assert told.startswith("Nobody can sign"), "one cause, and not every kind that has it"

    def fall(*_: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("outreach.doctor.specimens.write_message", fall)
    (told,) = find_specimen_faults(sqlite_engine, settings, NOW).splitlines()
    assert "checkin by text" in told
    assert "ZeroDivisionError" in told


# --- files ---


@pytest.mark.parametrize("who", [0o640, 0o604, 0o620])
def test_a_file_that_others_may_use_is_named_with_the_command_that_mends_it(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, who: int
) -> None:
    database = tmp_path / "outreach.db"
    secret, mark, password = tmp_path / "outreach.secret", tmp_path / "outreach.generation", tmp_path / "password"
    letters, outbox = tmp_path / "letters", tmp_path / "outbox"
    for file in (secret, mark, password):
        file.write_text("x")
    for folder in (letters, outbox):
        folder.mkdir()
    own = by_smtp(settings, password_file=password, username=USER)
    own = own.model_copy(
        update={"secret_file": secret, "storage": own.storage.model_copy(update={"url": str(letters)})}
    )
    with writing(sqlite_engine) as session:
        session.add(Installation(id=1, name="ours"))
    every = [database, secret, mark, password, letters, outbox]
    for path in every:
        path.chmod(0o700 if path.is_dir() else 0o600)
    for beside in tmp_path.glob("outreach.db-*"):
        beside.chmod(0o600)
    assert find_open_files(sqlite_engine, own) == ""
    for path in every:
        path.chmod(who | 0o100)
        right = 700 if path.is_dir() else 600
        (told,) = find_open_files(sqlite_engine, own).splitlines()
        assert told.endswith(f"chmod {right} {path}")
        path.chmod(0o700 if path.is_dir() else 0o600)


# --- the domain of our e-mails ---

GOOD: Mapping[str, Sequence[str]] = {
    "alder.net": ["google-site-verification=x", "v=spf1 ip4:192.0.2.1 -all"],
    "k1._domainkey.alder.net": ["v=DKIM1; k=rsa; p=" + "M" * 392],
    "_dmarc.alder.net": ["v=DMARC1; p=quarantine"],
}


def look(settings: Settings, records: Mapping[str, Sequence[str]], domain: str = "alder.net") -> dict[str, str]:
    with dns_server(records) as resolver:
        found = examine_domain(by_smtp(settings, domain, dkim_selector="k1"), resolver)
    assert len(found) == 3
    return {finding.what.split()[0]: finding.mend for finding in found if not finding.is_well}


def test_a_domain_with_all_three_records_is_well(settings: Settings) -> None:
    assert look(settings, GOOD) == {}


@pytest.mark.parametrize(
    ("name", "texts", "which", "says"),
    [
        ("alder.net", None, "SPF", "Add a TXT record"),
        ("alder.net", ["nothing of the kind"], "SPF", "Add a TXT record"),
        ("alder.net", [], "SPF", "Add a TXT record"),
        ("alder.net", ["v=spf1 a -all", "v=spf1 mx -all"], "SPF", "2 SPF records"),
        ("alder.net", ["v=spf1 +all"], "SPF", "lets everybody send"),
        ("alder.net", ["v=spf1 a all"], "SPF", "lets everybody send"),
        ("k1._domainkey.alder.net", None, "DKIM", "no key at k1._domainkey.alder.net"),
        ("k1._domainkey.alder.net", ["v=DKIM1; p="], "DKIM", "was withdrawn"),
        ("_dmarc.alder.net", None, "DMARC", "Add a TXT record at _dmarc.alder.net"),
        ("_dmarc.alder.net", ["v=DMARC1"], "DMARC", "has no policy"),
        ("_dmarc.alder.net", ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "DMARC", "2 DMARC records"),
    ],
)
def test_a_record_that_is_missing_or_wrong_is_named_alone(
    settings: Settings, name: str, texts: list[str] | None, which: str, says: str
) -> None:
    records = {**GOOD, name: texts} if texts is not None else {key: GOOD[key] for key in GOOD if key != name}
    mends = look(settings, records)
    assert list(mends) == [which]
    assert says in mends[which]


def test_a_policy_of_the_domain_above_counts_as_receivers_count_it(settings: Settings) -> None:
    records = {
        "post.alder.net": GOOD["alder.net"],
        "k1._domainkey.post.alder.net": GOOD["k1._domainkey.alder.net"],
        "_dmarc.alder.net": GOOD["_dmarc.alder.net"],
    }
    assert look(settings, records, "post.alder.net") == {}


@pytest.mark.parametrize("fault", ["silence", "servfail"])
def test_without_a_resolver_that_answers_it_says_so_and_nothing_fails(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(mail_domain, "SECONDS", 0.3)
    with dns_server(GOOD, fault) as resolver:
        (found,) = examine_domain(by_smtp(settings, "alder.net"), resolver)
    assert found.is_well
    assert "not looked at, no resolver answers" in found.what


def test_no_selector_a_name_for_samples_and_mail_that_is_a_file_are_not_looked_up(settings: Settings) -> None:
    with dns_server(GOOD) as resolver:
        what = [finding.what for finding in examine_domain(by_smtp(settings, "alder.net"), resolver)]
    assert "DKIM of alder.net: not looked at, no providers.smtp.dkim_selector is set" in what
    (sample,) = examine_domain(by_smtp(settings))
    assert "a name for samples" in sample.what
    assert examine_domain(settings) == []


# --- one e-mail to ourselves ---


@pytest.fixture
def staffed(engine: Engine) -> Engine:
    with writing(engine) as session:
        add_staff(session, "ida", "Ida", "admin", NOW)
        add_staff(session, "jon", "Jon", "approver", NOW)
    return engine


def test_a_test_goes_once_to_our_address_marked_as_one_and_the_audit_says_who_sent_it(
    staffed: Engine, settings: Settings
) -> None:
    with mail_server() as server:
        said = send_test_email(staffed, by_smtp(settings, port=server.port), OURS, "ida", NOW)
    (taken,) = server.taken
    mail = message_from_bytes(taken.content, policy=policy.default)
    assert taken.recipients == [OURS]
    assert mail["Subject"] == "Test by Outreach: please ignore"
    assert "It concerns no customer" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert is_notice(mail["X-Outreach-Reference"])
    assert OURS in said
    with reading(staffed) as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.act == "test e-mail sent")).all()
        assert [(entry.actor, entry.detail) for entry in entries] == [("ida", "smtp")]
        assert OURS not in entries[0].subject
        assert session.exec(select(Message)).all() == []


def test_in_rehearsal_a_test_is_refused_with_the_reason_and_shown_in_the_outbox(
    staffed: Engine, settings: Settings, tmp_path: Path
) -> None:
    with mail_server() as server, pytest.raises(SettingsError, match="Nothing left: the mode is rehearsal"):
        send_test_email(staffed, by_smtp(settings, mode="rehearsal", port=server.port), OURS, "ida", NOW)
    assert server.commands == []
    (shown,) = (tmp_path / "outbox").rglob("*.eml")
    assert message_from_bytes(shown.read_bytes(), policy=policy.default)["To"].addresses[0].addr_spec == OURS


def test_only_an_admin_sends_a_test(staffed: Engine, settings: Settings) -> None:
    with mail_server() as server:
        live = by_smtp(settings, port=server.port)
        with pytest.raises(NotAllowed) as refused:
            send_test_email(staffed, live, OURS, "jon", NOW)
        with pytest.raises(NotFound, match="add --by WHO"):
            send_test_email(staffed, live, OURS, "", NOW)
    told = "jon may not send a test e-mail: their role is approver, and it takes admin. Ask ida"
    assert str(refused.value) == told
    assert server.commands == []


def test_no_test_leaves_while_e_mail_is_paused_nor_to_an_address_that_wants_none(
    staffed: Engine, settings: Settings
) -> None:
    with mail_server() as server:
        live = by_smtp(settings, port=server.port)
        for scope, name in (("everything", ""), ("provider", "smtp")):
            with writing(staffed) as session:
                pauses.pause(session, scope, name, NOW)
            with pytest.raises(SettingsError, match="paused"):
                send_test_email(staffed, live, OURS, "ida", NOW)
            with writing(staffed) as session:
                pauses.resume(session, scope, name, NOW)
        with writing(staffed) as session:
            hashed = contact_hash(load_key(staffed, live), "email", OURS)
            session.add(Suppression(contact_hash=hashed, channel="email", source="unsubscribed", at=NOW))
        with pytest.raises(SettingsError, match="do-not-contact"):
            send_test_email(staffed, live, OURS.upper(), "ida", NOW)
        for wrong in ("nobody", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example"):
            with pytest.raises((SettingsError, Refused, ComposingError)):
                send_test_email(staffed, live, wrong, "ida", NOW)
    assert server.commands == []
