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


def currency_of(country: str) -> str:
    """The currency that is paid with in a country today; empty for a country that is not known."""
    currencies: list[str] = get_territory_currencies(country)
    return currencies[0] if currencies else ""


def require_known(answers: NewBusiness) -> None:
    """Raises SettingsError naming the answer that no country, zone, language or currency is called by."""
    known = {
        "country": answers.country in zones_by_country(),
        "time zone": answers.timezone in available_timezones(),
        "language": _is_language(answers.language),
        "currency": answers.currency in list_currencies(),
    }
    given = {"country": "US", "time zone": "Europe/Berlin", "language": "en", "currency": "USD"}
    for what, is_known in known.items():
        if not is_known:
            typed = getattr(answers, what.replace(" ", ""))
            raise SettingsError(f"There is no {what} “{typed}”; write one like {given[what]}")


def _is_language(code: str) -> bool:
    try:
        return Locale.parse(code).language == code
    except (UnknownLocaleError, ValueError):
        return False


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
    _table(moments, "anniversary")["reward"] = 0
    _table(moments, "checkin")["treatments"] = []
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
