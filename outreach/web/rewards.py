"""Rewards at the desk: a code typed or scanned, what it is worth and whether it is still to be had, and one button."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Query, Response

from outreach.errors import NotFound
from outreach.tracking.redemptions import IssuedReward, find_reward, redeem
from outreach.web.access import DeskNow, Viewer, Writer, new_router

router = new_router()
Typed = Annotated[str, Query(max_length=40)]
Hash = Annotated[str, Form(max_length=64)]


@router.get("/redeem")
def show_redeem(desk: DeskNow, signed: Viewer, code: Typed = "") -> Response:
    """The field for a code; with one, what it is worth and to whom it was given."""
    given: IssuedReward | None = None
    problem = ""
    if code.strip():
        try:
            given = find_reward(desk.engine, desk.settings, code, desk.now)
        except NotFound as unknown:
            problem = str(unknown)
    return desk.show("redeem.html", signed, here="/redeem", code=code.strip(), given=given, problem=problem)


@router.post("/redeem")
def take_reward(desk: DeskNow, signed: Writer, code_hash: Hash) -> Response:
    reward = redeem(desk.engine, desk.settings, code_hash, signed.staff_id, desk.now)
    return desk.go(f"/people/{quote(reward.customer_id)}", "Redeemed. It cannot be used again.")
