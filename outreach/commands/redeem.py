"""Rewards on the command line: a code in, a call to a room, a line or JSON out."""

from typing import Annotated

import typer

from outreach import console
from outreach.commands.context import open_call
from outreach.commands.options import AsJson, By, Database, Now
from outreach.money import write_money
from outreach.tracking.redemptions import find_reward, hash_of, redeem

app = typer.Typer(rich_markup_mode=None)


@app.command("redeem")
def redeem_(
    code: Annotated[str, typer.Argument(help="The code on the voucher, such as 7KQ2-M9XB.")],
    by: By,
    database: Database = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Redeem a reward, once; says what it is worth and to whom it was given."""
    call = open_call(database, now, as_json)
    find_reward(call.engine, call.settings, code, call.now)
    reward = redeem(call.engine, call.settings, hash_of(call.engine, call.settings, code), by, call.now)
    if as_json:
        return console.print_json(reward)
    return console.say(f"Redeemed: {write_money(reward.amount, reward.currency)}, given to {reward.customer_id}")
