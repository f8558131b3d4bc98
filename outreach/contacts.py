"""Brings a contact into its one normal form, and hashes that with the secret key of this installation.

Suppressions keep the hash, so every spelling of one contact must come to one hash. No contact is stored here.
"""

import codecs
import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Engine, func, update
from sqlmodel import Session, col, select

from outreach.database import insert_new, reading, writing
from outreach.email_cells import trim_email
from outreach.errors import DatabaseError, SettingsError
from outreach.invisible_characters import drop_invisible
from outreach.local_files import read_regular
from outreach.models import Installation, Message, Suppression
from outreach.settings import Settings
from outreach.settings.secrets import LARGEST_SECRET

# A number that may be either a landline's or a mobile's, as ordinary numbers of the US may, is not among these.
_TEXTLESS = {
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.TOLL_FREE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST,
    phonenumbers.PhoneNumberType.UAN,
    phonenumbers.PhoneNumberType.VOICEMAIL,
}


def normalise_email(value: str) -> str | None:
    """The address in lower case with its domain in ASCII, or None when no such address can exist.

    For comparing and hashing: some mail servers tell upper from lower case, so mail goes to the address as it came.
    """
    folded = trim_email(drop_invisible(unicodedata.normalize("NFKC", value)))
    try:
        address = validate_email(folded, check_deliverability=False)
    except EmailNotValidError:
        return None
    return f"{unicodedata.normalize('NFC', address.local_part.casefold())}@{address.ascii_domain}"


def deliverable_email(value: str) -> str | None:
    """The address as mail goes to it: as it came, trimmed, with its domain in ASCII; None where none can exist.

    Letters that only look otherwise, such as those of full width, are written plainly.
    """
    came = trim_email(drop_invisible(unicodedata.normalize("NFC", value)))
    plain = trim_email(drop_invisible(unicodedata.normalize("NFKC", value)))
    # Where the plain form is ASCII, the address was only written otherwise; else the letters that came are tried first.
    for text in (plain,) if plain.isascii() else (came, plain):
        try:
            address = validate_email(text, check_deliverability=False)
        except EmailNotValidError:
            continue
        local, _, domain = text.rpartition("@")
        return f"{local}@{domain if domain.isascii() else address.ascii_domain}"
    return None


def normalise_phone(value: str, region: str, *others: str) -> str | None:
    """The number in E.164 (`+14155550123`), read as dialled in `region` (a country such as US), or None.

    Where none can be dialled so in `region`, the others are tried: staff write the number of a customer who lives
    abroad as they dial it themselves.
    """
    for each in (region, *others):
        number, kind = _parse_number(value, each)
        if number is not None and kind != phonenumbers.PhoneNumberType.UNKNOWN:
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return None


def takes_texts(value: str, region: str, *others: str) -> bool:
    """Whether a text to the number could arrive: not behind a switchboard's extension, nor on a known landline."""
    for each in (region, *others):
        number, kind = _parse_number(value, each)
        if number is not None and kind != phonenumbers.PhoneNumberType.UNKNOWN:
            return not number.extension and kind not in _TEXTLESS
    return False


@lru_cache(maxsize=10_000)
def _parse_number(value: str, region: str) -> tuple[phonenumbers.PhoneNumber | None, int]:
    """The number and its type, which is UNKNOWN where no such number can exist."""
    # Kept for a while: a number is asked for as a call's and as a text's, and again at each look before it is used.
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", value), region.upper())
    except phonenumbers.NumberParseException:
        return None, phonenumbers.PhoneNumberType.UNKNOWN
    return number, phonenumbers.number_type(number)


def show_phone(number: str) -> str:
    """A number in E.164 with the gaps its country writes (`+1 415-555-0123`); any other as it is."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def normalise_address(lines: Sequence[str], postal_code: str | None, country: str) -> str:
    """One line for one postal address: country, postal code and words, without case, punctuation or spacing."""
    words = " ".join(folded for line in lines if (folded := fold_words(line)))
    return f"{fold_words(country)}|{fold_words(postal_code or '').replace(' ', '')}|{words}"


_PLAIN_WORDS = re.compile("[a-z0-9]+")


def fold_words(text: str) -> str:
    """The words without case, punctuation or spacing; accents stay."""
    if text.isascii():
        # As below, where no letter has another form, in a twentieth of the time.
        return " ".join(_PLAIN_WORDS.findall(text.lower()))
    # Folding case can take a letter out of its normal form, so the form is made twice.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = (letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in folded)
    return " ".join("".join(kept).split())


def contact_hash(key: bytes, channel: str, normalised: str) -> str:
    """HMAC-SHA256 in hex. The channel is hashed too, so that equal hashes never link a text number to a call."""
    return hmac.new(key, f"{channel}\0{normalised}".encode(), hashlib.sha256).hexdigest()


def read_key(session: Session, settings: Settings) -> bytes:
    """The secret key of this installation: from `secret`, else from `secret_file`.

    It is made only where this database knows of none. Raises DatabaseError when it is lost, or is not the key that
    hashed what is in the database; SettingsError when it cannot be read.
    """
    fingerprint = session.exec(select(Installation.key_fingerprint)).first()
    if fingerprint and not settings.secret and not settings.secret_file.exists():
        _require_nothing_hashed(session, settings, "is lost")
    key = settings.secret.get_secret_value().encode() if settings.secret else _read_secret(settings.secret_file)
    if not key:
        raise SettingsError(f"The secret is empty: set OUTREACH_SECRET, or restore {settings.secret_file}")
    if fingerprint and fingerprint != _fingerprint_of(key):
        _require_nothing_hashed(session, settings, "has changed")
    return key


def load_key(engine: Engine, settings: Settings) -> bytes:
    """The same key, which this database knows from now on; it is made where there is none. Raises as `read_key`."""
    with reading(engine) as session:
        key = read_key(session, settings)
        fingerprint = session.exec(select(Installation.key_fingerprint)).first()
    if fingerprint != _fingerprint_of(key):
        _remember(engine, _fingerprint_of(key))
    return key


def _fingerprint_of(key: bytes) -> str:
    return hmac.new(key, b"fingerprint", hashlib.sha256).hexdigest()[:16]


def _require_nothing_hashed(session: Session, settings: Settings, what: str) -> None:
    """Raises DatabaseError where something in the database can only be used with the key that it knows.

    Messages count too: a suppression under a new key would not stop what was planned under the old one, and nobody
    could unsubscribe from what was sent.
    """
    suppressions = session.exec(select(func.count()).select_from(Suppression)).one()
    messages = session.exec(select(func.count()).select_from(Message)).one()
    counts = {"do-not-contact entries": suppressions, "messages": messages}
    if needing := [f"{number} {word}" for word, number in counts.items() if number]:
        raise DatabaseError(
            f"The secret {what}, and {' and '.join(needing)} can only be matched with the old one: "
            f"restore the old OUTREACH_SECRET or {settings.secret_file}"
        )


def _remember(engine: Engine, fingerprint: str) -> None:
    with writing(engine) as session:
        insert_new(session, Installation, [{"id": 1}])
        changed = update(Installation).where(col(Installation.id) == 1).values(key_fingerprint=fingerprint)
        session.connection().execute(changed)


def _read_secret(path: Path) -> bytes:
    try:
        if not path.exists():
            _make_secret(path)
        return read_regular(path, LARGEST_SECRET).removeprefix(codecs.BOM_UTF8).strip()
    except OSError as error:
        raise SettingsError(f"The secret file {path} cannot be read or made ({error.strerror})") from error


def _make_secret(path: Path) -> None:
    # Written whole under another name first: a process that starts at the same moment must not read half a secret.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "w") as handle:
            handle.write(secrets.token_hex(32) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        # A link and no rename: it fails where another process was first, whose secret then stands.
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
