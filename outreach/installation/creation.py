"""Makes an installation: the settings of one business, the words to begin with, and what Prefect is to run.

It writes into a folder that has nothing of these yet, and never over a file that is there.
"""

import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import tomlkit
from babel import Locale, UnknownLocaleError
from babel.numbers import get_territory_currencies, list_currencies
from tomlkit.items import AoT, Table

from outreach.country_zones import zones_by_country
from outreach.errors import SettingsError
from outreach.installation.folder import EXAMPLE, SETTINGS_FILE

# What the program writes into an installation, and what nobody else is to see.
IGNORED = """\
/outreach.db*
/outreach.generation
*.secret
/.prefect/
/outbox/
/printroom/
/data/
/uploads/
/demo/
/contact-sheet.png
"""
FOR_A_SIGNATORY = """\
[[business.signatories]]
name = "Maria Stone"
role = "front desk"
pen = "Alder"
direct_line = "+1 802 555 0142"
consent_on = 2026-01-31\
"""


@dataclass(frozen=True)
class NewBusiness:
    """What is asked of a business that begins."""

    name: str
    #: Two letters, as ISO 3166 has them.
    country: str
    #: A zone of the IANA database, such as Europe/Berlin.
    timezone: str
    language: str
    #: Three letters, as ISO 4217 has them.
    currency: str
    kind: str = "general"
    #: The postal address, line by line.
    address: list[str] = field(default_factory=list)
    phone: str = ""
    email: str = ""
    #: A member of staff who has agreed to be signed for; empty for nobody yet.
    signed_by: str = ""
    #: The moments that would give something away: a business that begins gives nothing.
    gifts: list[str] = field(default_factory=list)


def currency_of(country: str) -> str:
    """The currency that is paid with in a country today; empty for a country that is not known."""
    currencies: list[str] = get_territory_currencies(country)
    return currencies[0] if currencies else ""


def known_zone(typed: str, country: str) -> str:
    """The time zone that somebody means who types it, or the town in its name. Raises SettingsError with those there
    are in the country."""
    zones = zones_by_country().get(country, ())
    if typed in available_timezones():
        return typed
    town = typed.strip().replace(" ", "_").casefold()
    if found := next((zone for zone in zones if zone.rpartition("/")[2].casefold() == town), None):
        return found
    raise SettingsError(f"There is no time zone “{typed}”; in {country} there are {', '.join(zones)}")


def known_language(typed: str) -> str:
    """The language. Raises SettingsError for what is none of two or three letters."""
    code = typed.strip().casefold()
    try:
        is_one = Locale.parse(code).language == code
    except (UnknownLocaleError, ValueError):
        is_one = False
    if not is_one:
        raise SettingsError(f"There is no language “{typed}”; write two letters, such as en")
    return code


def known_currency(typed: str) -> str:
    """The currency. Raises SettingsError for one that is none."""
    code = typed.strip().upper()
    if code not in list_currencies():
        raise SettingsError(f"There is no currency “{typed}”; write three letters, such as USD")
    return code


def create_installation(folder: Path, answers: NewBusiness, on: date) -> list[Path]:
    """Writes the installation, and returns the files and folders that it consists of.

    Raises SettingsError where one of them is there already; then nothing is written.
    """
    parts = [folder / name for name in (SETTINGS_FILE, "templates", "prefect.yaml", ".gitignore")]
    if there := [part.name for part in parts if part.exists()]:
        raise SettingsError(f"{folder} has {', '.join(there)} already; name a folder that is new or empty")
    settings = write_settings((EXAMPLE / SETTINGS_FILE).read_text(encoding="utf-8"), answers, on)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(EXAMPLE / "templates", folder / "templates")
        shutil.copyfile(EXAMPLE / "prefect.yaml", folder / "prefect.yaml")
        (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
        # Last: it is what makes the folder an installation.
        (folder / SETTINGS_FILE).write_text(settings, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{error.filename or folder} cannot be written ({error.strerror})") from error
    return parts


def write_settings(example: str, answers: NewBusiness, on: date) -> str:
    """The text of the example's outreach.toml with the answers in place of what is the sample practice's own."""
    settings = tomlkit.parse(example)
    settings.body[0] = (None, tomlkit.comment("The settings of this installation."))
    business = _table(settings, "business")
    for name in ("name", "kind", "timezone", "language", "country", "currency", "address", "phone", "email"):
        business[name] = getattr(answers, name)
    for name in ("website", "public_url"):
        del business[name]
    if answers.signed_by:
        business["signatories"] = _signatories(answers.signed_by, on)
    else:
        del business["signatories"]
        for line in FOR_A_SIGNATORY.splitlines():
            business.add(tomlkit.comment(line))
        business.add(tomlkit.nl())
    moments = _table(settings, "moments")
    _table(moments, "checkin")["treatments"] = []
    for name in answers.gifts:
        if name not in moments:
            moments[name] = tomlkit.table()
        _table(moments, name)["reward"] = 0
    return tomlkit.dumps(settings)


def _table(above: Any, name: str) -> Table:
    table: Table = above[name]
    return table


def _signatories(name: str, on: date) -> AoT:
    signatory = tomlkit.table()
    signatory.update({"name": name, "pen": "Alder", "consent_on": on})
    signatory.add(tomlkit.nl())
    signatories = tomlkit.aot()
    signatories.append(signatory)
    return signatories
