"""Examines this machine, and lists what is well and what is not, with how to mend each. It sends nothing to anybody."""

import sys
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Engine, text

from outreach.approval.audit import find_break
from outreach.approval.reminders import find_deputy
from outreach.approval.staff import can_anybody_approve, list_staff
from outreach.clock import business_date, read_clock
from outreach.composing.handwriting.pens import pen_named
from outreach.composing.store.contents import open_to_write
from outreach.composing.template_check import check_templates
from outreach.composing.templating.templates import saved_sources
from outreach.contacts import load_key
from outreach.database import open_database, reading, require_safe_claims, upgrade_database
from outreach.delivery.providers import open_providers
from outreach.delivery.recovery.restore_guard import find_restore
from outreach.doctor.file_modes import find_open_files
from outreach.doctor.findings import RESERVED_NAMES, Finding, check
from outreach.doctor.mail_domain import examine_domain
from outreach.doctor.mail_login import find_login_fault
from outreach.doctor.specimens import find_specimen_faults
from outreach.errors import OutreachError, SettingsError
from outreach.planning.knobs import with_saved_knobs
from outreach.settings import Business, Settings, load_settings

DEFAULT_ADDRESS = Business.model_fields["public_url"].default
# What a request or a message from outside could use, with the first version of each line that mends it.
KNOWN_HOLES: dict[str, dict[tuple[int, int], tuple[int, int, int]]] = {
    "a cookie can hold a server for minutes (CVE-2024-7592)": {(3, 11): (3, 11, 10), (3, 12): (3, 12, 6)},
    "a line break in a header can make another (CVE-2024-6923)": {(3, 11): (3, 11, 10), (3, 12): (3, 12, 5)},
    "broken HTML can hold it for minutes (CVE-2025-6069)": {
        (3, 11): (3, 11, 14), (3, 12): (3, 12, 12), (3, 13): (3, 13, 6),
    },
}  # fmt: skip


def examine(database: str | None, now: str | None) -> list[Finding]:
    """Every check, in the order in which one would mend them; a check that cannot be made is a finding too."""
    findings = [_python()]
    try:
        settings = load_settings()
        engine = open_database(database or settings.database_url)
        instant = read_clock(now or settings.now)()
    except OutreachError as error:
        return [*findings, Finding("settings", False, str(error))]
    findings += [_business(settings), _signatory(settings), _mode(settings), _address(settings)]
    checks: list[tuple[str, Callable[[], str]]] = [
        ("database", lambda: _database(engine)),
        # It is only asked whether there is one: the key itself must be shown nowhere.
        ("secret", lambda: (load_key(engine, settings) and "") or ""),
        ("templates and faces", lambda: _templates(engine, settings, instant)),
        ("one message of each kind", lambda: find_specimen_faults(engine, settings, instant)),
        ("audit", lambda: _audit(engine)),
        ("the approvers", lambda: _approvers(engine, settings)),
        ("the deputy for reminders", lambda: _deputy(engine, settings)),
        ("providers", lambda: _providers(settings)),
        ("the login at the mail server", lambda: find_login_fault(settings)),
        ("the storage of letters", lambda: _storage(engine, settings)),
        ("who may read our files", lambda: find_open_files(engine, settings)),
        ("restores of the database", lambda: find_restore(engine, settings)),
    ]
    return findings + [check(what, find_fault) for what, find_fault in checks] + examine_domain(settings)


def _python() -> Finding:
    version, name = sys.version_info[:3], f"Python {sys.version.split()[0]}"
    if version < (3, 11):
        return Finding(name, False, "Install Python 3.11 or newer")
    mended = {what: since[version[:2]] for what, since in KNOWN_HOLES.items() if version[:2] in since}
    holes = [what for what, since in mended.items() if version < since]
    if not holes:
        return Finding(name, True)
    # Named, and no fault: a distribution may have mended its own without another number.
    newest = ".".join(map(str, max(mended.values())))
    return Finding(name, True, f"Unless your system mended them, it has known holes: {'; '.join(holes)}. Use {newest}")


def _business(settings: Settings) -> Finding:
    missing = [name for name in ("name", "address", "phone", "email") if not getattr(settings.business, name)]
    listed = ", ".join(missing)
    return Finding("the business", not missing, listed and f"Write {listed} under [business] in outreach.toml")


def _signatory(settings: Settings) -> Finding:
    signs = any(signatory.consent_on for signatory in settings.business.signatories)
    mend = "Name a signatory who has agreed to be signed for: [[business.signatories]] with name and consent_on"
    if not signs:
        return Finding("the signatories", False, mend)
    try:
        for signatory in settings.business.signatories:
            pen_named(signatory.pen, settings.pens)
    except SettingsError as error:
        return Finding("the signatories", False, str(error))
    return Finding("the signatories", True)


def _mode(settings: Settings) -> Finding:
    where = (
        "everything goes to files"
        if settings.mode == "rehearsal"
        else "the providers you named carry messages; outbox and printroom make files"
    )
    return Finding(f"mode {settings.mode}: {where}", True)


def _address(settings: Settings) -> Finding:
    fault = "" if settings.mode == "rehearsal" else _fault_of_address(settings.business.public_url)
    need = "unsubscribe links and the sign-in need it"
    return Finding("the public address", not fault, fault and f"{fault}: {need}")


def _fault_of_address(public_url: str) -> str:
    address = urlsplit(public_url)
    name = address.hostname or ""
    if public_url == DEFAULT_ADDRESS:
        return "Set business.public_url to the https address of this desk"
    if name.endswith(RESERVED_NAMES):
        ending = name.rpartition(".")[2]
        return (
            f"business.public_url is {public_url}, and no name ending in .{ending} leads anywhere; set the desk's own"
        )
    return "" if address.scheme == "https" and name else f"business.public_url is {public_url}; set an https address"


def _database(engine: Engine) -> str:
    upgrade_database(engine)
    require_safe_claims(engine)
    if engine.dialect.name != "sqlite":
        return ""
    with reading(engine) as session:
        journal = session.connection().execute(text("PRAGMA journal_mode")).scalar_one()
    return "" if journal == "wal" else "The database file is on a disk without WAL; move it to a local disk"


def _templates(engine: Engine, settings: Settings, now: datetime) -> str:
    with reading(engine) as session:
        tuned, saved = with_saved_knobs(session, settings), saved_sources(session)
    return "\n".join(check_templates(tuned, saved, business_date(now, tuned.business.timezone)))


def _providers(settings: Settings) -> str:
    # To open them is to check their secrets and settings.
    with open_providers(settings):
        return ""


def _storage(engine: Engine, settings: Settings) -> str:
    storage = open_to_write(engine, settings)
    if storage.is_set and not storage.fault:
        # Its label is written and read back: that a storage answers does not tell that letters can be put there.
        storage.begin()
    return str(storage.fault) if storage.is_set and storage.fault else ""


def _approvers(engine: Engine, settings: Settings) -> str:
    with reading(engine) as session:
        nobody_can = bool(list_staff(session)) and not can_anybody_approve(session, settings.desk.oidc.is_set)
    return "No approver has a password for the desk: outreach staff password WHO" if nobody_can else ""


def _deputy(engine: Engine, settings: Settings) -> str:
    with reading(engine) as session:
        find_deputy(session, settings)
    return ""


def _audit(engine: Engine) -> str:
    with reading(engine) as session:
        broken = find_break(session)
    return f"The audit was changed at entry {broken}; compare it with a backup" if broken else ""
