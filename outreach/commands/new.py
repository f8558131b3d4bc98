"""The command new: asks what a business is called and where it is, and makes its installation."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from outreach import console
from outreach.clock import business_date, read_clock
from outreach.commands.options import Now, path_argument
from outreach.country_zones import zones_by_country
from outreach.errors import SettingsError

app = typer.Typer(rich_markup_mode=None)
MOST_ZONES = 13


@app.command()
def new(
    folder: Annotated[Path, path_argument("The folder to make, such as my-practice.")],
    name: Annotated[str | None, typer.Option(help="The business's name. [asked]")] = None,
    country: Annotated[str | None, typer.Option(help="Two letters, such as US. [asked]")] = None,
    timezone: Annotated[str | None, typer.Option(help="Such as America/New_York. [asked]")] = None,
    language: Annotated[str | None, typer.Option(help="Two letters, such as en. [asked]")] = None,
    currency: Annotated[str | None, typer.Option(help="Three letters, such as USD. [asked]")] = None,
    kind: Annotated[
        Literal["general", "health", "finance", "utility"], typer.Option(help="Some rules differ by it.")
    ] = "general",
    address: Annotated[list[str] | None, typer.Option(help="A line of the postal address; once for each.")] = None,
    phone: Annotated[str, typer.Option(help="The number that customers call.")] = "",
    email: Annotated[str, typer.Option(help="Where e-mails come from, and where answers go.")] = "",
    signed_by: Annotated[str, typer.Option(help="Who signs the letters, and has agreed to it. [nobody yet]")] = "",
    now: Now = None,
) -> None:
    """Make an installation: settings, templates, and what Prefect runs, in a folder of your own."""
    from outreach.installation import creation  # Babel, the countries' names and the moments take a moment to import
    from outreach.intake.cells.countries import find_country
    from outreach.moments import MOMENTS

    def known_country(typed: str) -> str:
        if code := find_country(typed):
            return code
        raise SettingsError(f"There is no country “{typed}”; write its name or two letters, such as US")

    name = _ask("--name", "What is the business called?", str, name)
    country = _ask("--country", "Which country is it in?", known_country, country, "US")
    zones = zones_by_country().get(country, ())
    # Of several, the first is any: in Australia an island's.
    question = "Its time zone?" if len(zones) < 2 else f"Its time zone ({_some(zones)}), or the town in its name?"
    only = zones[0] if len(zones) == 1 else None
    timezone = _ask("--timezone", question, lambda typed: creation.known_zone(typed, country), timezone, only)
    language = _ask("--language", "Its language?", creation.known_language, language, "en")
    usual = creation.currency_of(country) or None
    currency = _ask("--currency", "Its currency?", creation.known_currency, currency, usual)
    gifts = [moment for moment in MOMENTS if getattr(MOMENTS[moment].knobs(), "reward", 0)]
    business = creation.NewBusiness(
        name, country, timezone, language, currency, kind, address or [], phone, email, signed_by, gifts
    )
    # There are no settings yet, which would know of it.
    clock = read_clock(now or os.environ.get("OUTREACH_NOW"))
    on = business_date(clock(), timezone)
    for path in creation.create_installation(folder, business, on):
        console.say(f"  {path}")
    console.say(
        f"\nNow:\n  cd {folder}\n"
        "  outreach doctor                  what outreach.toml still lacks: whoever signs, the address\n"
        "  outreach import EXPORT --look    what would come of your data\n"
        "  outreach up                      the desk, and Prefect with its schedules"
    )


def _some(zones: Sequence[str]) -> str:
    """The zones of a country as far as they fit into a question."""
    return ", ".join(zones) if len(zones) <= MOST_ZONES else f"{', '.join(zones[:3])} …"


def _ask(option: str, question: str, read: Callable[[str], str], given: str | None, default: str | None = None) -> str:
    """What was given or is typed, as `read` takes it; asked again until it does.

    Raises SettingsError where what was given does not fit, and where nobody is there to type.
    """
    if given is not None:
        return read(given)

    def check(typed: str) -> str:
        try:
            return read(typed)
        except SettingsError as error:
            raise typer.BadParameter(str(error)) from None

    try:
        answer: str = typer.prompt(question, default=default, value_proc=check)
    except typer.Abort:
        raise SettingsError(f"{question} Say it with {option}, for nobody is here to answer") from None
    return answer
