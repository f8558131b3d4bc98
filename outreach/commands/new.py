"""The command new: asks what a business is called and where it is, and makes its installation."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from outreach import console
from outreach.clock import business_date, read_clock
from outreach.commands.options import Now, path_argument
from outreach.country_zones import zones_by_country
from outreach.errors import SettingsError

app = typer.Typer(rich_markup_mode=None)


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
    from outreach.installation.creation import (  # Babel takes a moment to import
        NewBusiness,
        create_installation,
        currency_of,
        require_known,
    )

    name = name or _ask("--name", "What is the business called?")
    country = (country or _ask("--country", "Which country is it in (two letters)?", "US")).upper()
    # The first is where most people of the country live.
    likely = zones_by_country().get(country, (None,))[0]
    timezone = timezone or _ask("--timezone", "Its time zone?", likely)
    language = language or _ask("--language", "Its language (two letters)?", "en")
    currency = currency or _ask("--currency", "Its currency (three letters)?", currency_of(country) or None)
    answers = NewBusiness(name, country, timezone, language, currency, kind, address or [], phone, email, signed_by)
    require_known(answers)
    # There are no settings yet, which would know of it.
    clock = read_clock(now or os.environ.get("OUTREACH_NOW"))
    on = business_date(clock(), timezone)
    for path in create_installation(folder, answers, on):
        console.say(f"  {path}")
    console.say(
        f"\nNow:\n  cd {folder}\n"
        "  outreach doctor                  what outreach.toml still lacks\n"
        "  outreach import EXPORT --look    what would come of your data\n"
        "  outreach up                      the desk, and Prefect with its schedules"
    )


def _ask(option: str, question: str, default: str | None = None) -> str:
    """The answer that is typed. Raises SettingsError where nobody is there to type it."""
    try:
        answer: str = typer.prompt(question, default=default)
    except typer.Abort:
        raise SettingsError(f"{question} Say it with {option}, for nobody is here to answer") from None
    return answer
