"""Looking ahead: simulate. Days in, a call to the planning room, a table or JSON out."""

from typing import Annotated

import typer

from outreach import tables
from outreach.call import open_call
from outreach.commands.options import AsJson, Database, Now
from outreach.planning.forecast import Forecast, forecast

simulating = typer.Typer()


@simulating.command()
def simulate(
    from_: Annotated[str | None, typer.Option("--from", help="The first day. [today]")] = None,
    to: Annotated[str | None, typer.Option("--to", help="The last day. [the first day]")] = None,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Whom we would write to on the days to come, and what it would cost; writes nothing."""
    call = open_call(database, now, as_json)
    first = call.day(from_)
    show_forecast(forecast(call.engine, call.settings, first, call.day(to) if to else first, call.now), as_json)


def show_forecast(seen: Forecast, as_json: bool) -> None:
    held = [{"moment": key[0], "outcome": key[1], "rule": key[2], "count": seen.held[key]} for key in sorted(seen.held)]
    if as_json:
        span = {"from": seen.first, "to": seen.last, "cost": seen.cost, "currency": seen.currency}
        return tables.print_json({**span, "messages": seen.messages, "held": held})
    title = f"{seen.first} to {seen.last}: {len(seen.messages)} messages, {tables.money(seen.cost, seen.currency)}"
    rows = [
        (m.on, m.send_on, m.moment, m.channel, m.customer_id, tables.money(m.cost, seen.currency))
        for m in seen.messages
    ]
    tables.print_table(title, ["planned", "sent", "moment", "channel", "customer", "cost"], rows)
    return tables.print_table(
        "Not written to, each day counted",
        ["moment", "decision", "rule", "number"],
        [tuple(row.values()) for row in held],
    )
