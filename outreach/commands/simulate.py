"""The command simulate: whom we would write to on the days to come, as a table, a picture or JSON."""

from pathlib import Path
from typing import Annotated

import typer

from outreach import console
from outreach.commands.context import open_context
from outreach.commands.options import AsJson, Database, Now, path_option
from outreach.errors import SettingsError
from outreach.local_files import write_private
from outreach.money import write_money
from outreach.planning.forecast import Forecast, forecast
from outreach.planning.forecast_chart import Weeks, count_weeks, draw_weeks
from outreach.planning.knobs import overlay_knobs
from outreach.settings import Settings

app = typer.Typer(rich_markup_mode=None)
# More weeks than that do not fit side by side.
MOST_WEEKS = 6


@app.command()
def simulate(
    from_: Annotated[str | None, typer.Option("--from", help="The first day. [today]")] = None,
    to: Annotated[str | None, typer.Option("--to", help="The last day. [the first day]")] = None,
    knob: Annotated[
        list[str] | None, typer.Option(help="Try a knob out, as in win_back.silent_days=200; may be given again.")
    ] = None,
    picture: Annotated[Path | None, path_option("Draw touches per moment and week into this SVG file.")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Whom we would write to on the days to come, and what it would cost; writes nothing."""
    context = open_context(database, now, as_json)
    first = context.day(from_)
    last = context.day(to) if to else first
    tried = try_knobs(context.settings, knob or [])
    before = forecast(context.engine, context.settings, first, last, context.now) if knob else None
    seen = forecast(context.engine, tried, first, last, context.now)
    weeks = count_weeks(seen)
    if picture:
        write_private(picture, draw_weeks(weeks, f"Touches per week, {first} to {last}").encode())
    show_forecast(seen, weeks, before, as_json)
    if picture and not as_json:
        console.say(f"Drawn: {picture}")


def try_knobs(settings: Settings, typed: list[str]) -> Settings:
    """`settings` with knobs typed as moment.knob=value. Raises SettingsError for any that does not fit."""
    for said in typed:
        name, is_given, value = said.partition("=")
        moment, _, knob = name.strip().partition(".")
        if not (is_given and knob):
            raise SettingsError(f"“{said}” is not a knob to try; write it like win_back.silent_days=200")
        settings = overlay_knobs(settings, moment, {knob: value.strip()})
    return settings


def show_forecast(seen: Forecast, weeks: Weeks, before: Forecast | None, as_json: bool) -> None:
    held = [{"moment": key[0], "outcome": key[1], "rule": key[2], "count": seen.held[key]} for key in sorted(seen.held)]
    if as_json:
        span = {"from": seen.first, "to": seen.last, "cost": seen.cost, "currency": seen.currency}
        by_week = [
            {"moment": moment, "week": monday, "touches": weeks.counts[moment, monday]}
            for moment in weeks.moments
            for monday in weeks.mondays
            if weeks.counts[moment, monday]
        ]
        return console.print_json({**span, "messages": seen.messages, "weeks": by_week, "held": held})
    title = f"{seen.first} to {seen.last}: {len(seen.messages)} messages, {write_money(seen.cost, seen.currency)}"
    if len(weeks.mondays) <= 1:
        rows = [
            (m.on, m.send_on, m.moment, m.channel, m.customer_id, write_money(m.cost, seen.currency))
            for m in seen.messages
        ]
        console.print_table(title, ["planned", "sent", "moment", "channel", "customer", "cost"], rows)
    show_weeks(seen, weeks, before, title)
    reasons = [tuple(row.values()) for row in held]
    return console.print_table("Not written to, each day counted", ["moment", "decision", "rule", "number"], reasons)


def show_weeks(seen: Forecast, weeks: Weeks, before: Forecast | None, title: str) -> None:
    """Touches per moment and week, or per moment and four weeks where there are many; with what stood before."""
    stride = 1 if len(weeks.mondays) <= MOST_WEEKS else 4
    starts = weeks.mondays[::stride]
    rows = []
    for moment in weeks.moments:
        numbers = [
            sum(weeks.counts[moment, monday] for monday in weeks.mondays[at * stride : (at + 1) * stride])
            for at in range(len(starts))
        ]
        change = [len(before.of(moment).messages)] if before else []
        cost = write_money(weeks.costs[moment], seen.currency)
        rows.append((moment, *numbers, weeks.total(moment), *change, cost))
    heads = [f"{monday:%d %b}" for monday in starts]
    columns = ["moment", *heads, "in all", *(["as it is now"] if before else []), "cost"]
    console.print_table(f"{title}; touches by {'week' if stride == 1 else 'four weeks'} from", columns, rows)
