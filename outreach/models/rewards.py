"""The rewards that messages give: one row for each customer of a message that carries one."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from outreach.models.column_types import instant_field


class Reward(SQLModel, table=True):
    """What a message gives one customer. It is redeemed once."""

    __tablename__ = "rewards"
    #: The code is kept only as a keyed hash.
    code_hash: str = Field(primary_key=True)
    reference: str = Field(foreign_key="messages.reference", index=True)
    customer_id: str = Field(index=True)
    amount: int
    currency: str
    issued_on: date
    valid_until: date
    redeemed_at: datetime | None = instant_field(default=None, nullable=True)
    redeemed_by: str | None = None
