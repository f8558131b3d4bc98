"""Redeems a reward once, by its code or from a person's page, and keeps by whom.

It is good only once its message has left, until its last day, and only one of those that a moment sent.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from outreach.approval.audit import record_act
from outreach.approval.staff import require_writer
from outreach.channels import CHANNELS
from outreach.clock import business_date
from outreach.composing.paper.vouchers import hash_code, read_code
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.errors import NotFound, NotWaiting
from outreach.locks import take_turns
from outreach.models import Message, Reward
from outreach.settings import Settings

STILL_HERE = frozenset({"planned", "composed", "held", "approved"})
# Not LEFT of the models, which has “failed” too: a gift whose message failed is not to be had.
LEFT = frozenset({"sending", "uncertain", "needs_person", "accepted", "delivered", "returned"})


@dataclass(frozen=True)
class IssuedReward:
    """A reward that was given to somebody."""

    reward: Reward
    #: The moment it was given for.
    kind: str
    #: What stands against redeeming it, in words; None where nothing does.
    objection: str | None


def find_reward(engine: Engine, settings: Settings, typed: str, now: datetime) -> IssuedReward:
    """The reward of a code as somebody typed or scanned it. Raises NotFound for a code that we did not give."""
    with reading(engine) as session:
        return _given(session, settings, _require(session, hash_of(engine, settings, typed)), now)


def rewards_of(session: Session, settings: Settings, customer_id: str, now: datetime) -> list[IssuedReward]:
    """What a customer was given, the latest first; also what cannot be redeemed, and why."""
    theirs = select(Reward).where(Reward.customer_id == customer_id).order_by(col(Reward.issued_on).desc())
    return [_given(session, settings, reward, now) for reward in session.exec(theirs.order_by(Reward.code_hash))]


def redeem(engine: Engine, settings: Settings, code_hash: str, by: str, now: datetime) -> Reward:
    """The reward, redeemed. Raises NotFound, or NotWaiting that says why it is not to be had (any more)."""
    with writing(engine) as session:
        require_writer(session, by, "redeem a reward")
        # One turn for all rewards, and not the row's lock alone: a ladder's letter has a code of its own for the gift
        # of its e-mail, and of two tills at once only one may find the gift unused.
        take_turns(session, "rewards")
        given = _given(session, settings, _require(session, code_hash), now)
        if given.objection:
            raise NotWaiting(given.objection)
        open_still = update(Reward).where(col(Reward.code_hash) == code_hash, col(Reward.redeemed_at).is_(None))
        session.execute(open_still.values(redeemed_at=now, redeemed_by=by))
        session.refresh(given.reward)
        record_act(session, by, "reward redeemed", given.reward.reference, given.reward.customer_id, now)
        session.flush()
        return given.reward


def hash_of(engine: Engine, settings: Settings, typed: str) -> str:
    """What is kept of a typed code. Raises NotFound for what can be no code."""
    code = read_code(typed)
    if code is None:
        raise NotFound("A code has eight letters and digits, such as 7KQ2-M9XB; read it once more")
    return hash_code(load_key(engine, settings), code)


def _require(session: Session, code_hash: str) -> Reward:
    reward = session.get(Reward, code_hash)
    if reward is None:
        raise NotFound("We gave nobody a reward with this code; read it once more")
    return reward


def _given(session: Session, settings: Settings, reward: Reward, now: datetime) -> IssuedReward:
    message = session.get_one(Message, reward.reference)
    return IssuedReward(reward, message.kind, _objection(session, settings, reward, message, now))


def _objection(session: Session, settings: Settings, reward: Reward, message: Message, now: datetime) -> str | None:
    if reward.redeemed_at:
        on = business_date(reward.redeemed_at, settings.business.timezone)
        return f"It was redeemed on {on}, by {reward.redeemed_by}"
    if message.status in STILL_HERE:
        word = CHANNELS[message.channel].word
        return f"Its {word} has not left yet (it is {message.status}); it is to be had from then on"
    if message.status not in LEFT:
        return f"Its {CHANNELS[message.channel].word} never left (it is {message.status}), so it is not to be had"
    if business_date(now, settings.business.timezone) > reward.valid_until:
        return f"It could be redeemed until {reward.valid_until}"
    # A ladder's letter repeats what its e-mail gave: one of the two is to be had.
    others = (
        select(Reward)
        .join(Message, col(Message.reference) == Reward.reference)
        .where(Message.moment_id == message.moment_id, Reward.customer_id == reward.customer_id)
    )
    used = session.exec(others.where(col(Reward.redeemed_at).is_not(None))).first()
    return f"The same gift was redeemed with an earlier message, {used.reference}" if used else None
