"""How much of each provider's rate is used up, for all senders together."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from outreach.models.column_types import instant_field


class Allowance(SQLModel, table=True):
    """How far into the future a provider's rate is used up, for all senders together."""

    __tablename__ = "allowances"
    provider: str = Field(primary_key=True)
    used_until: datetime = instant_field()
