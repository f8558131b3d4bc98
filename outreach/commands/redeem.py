"""The command redeem: redeems a reward by its code."""

from typing import Annotated

import typer

from outreach import console
from outreach.commands.context import open_context
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
    context = open_context(database, now, as_json)
    find_reward(context.engine, context.settings, code, context.now)
    reward = redeem(context.engine, context.settings, hash_of(context.engine, context.settings, code), by, context.now)
    if as_json:
        return console.print_json(reward)
    return console.say(f"Redeemed: {write_money(reward.amount, reward.currency)}, given to {reward.customer_id}")
