"""What every part of a mapping has in common: types are TOML's own, and an unknown word is refused."""

from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from outreach.intake.cells.date_formats import EXCEL_DAY_NUMBER, to_strptime
from outreach.intake.cells.unfit import Unfit


class MappingPart(BaseModel):
    # Strict, because TOML has types: a number in quotes is a mistake, not a number.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def as_list(value: Any) -> Any:
    """A list of one, where one text or one number stands alone; whatever else it is stays what it is."""
    return [value] if isinstance(value, str | int | float) else value


def as_one_list(value: Any) -> Any:
    """A list of one, where one table of TOML stands alone."""
    return [value] if isinstance(value, dict) else value


def _know_formats(dates: list[str]) -> list[str]:
    for written in dates:
        if written != EXCEL_DAY_NUMBER:
            try:
                to_strptime(written)
            except Unfit as error:
                raise ValueError(f"“{written}”: {error}") from error
    return dates


def _know_zone(zone: str | None) -> str | None:
    if zone is not None and zone not in available_timezones():
        raise ValueError(f"“{zone}” is no time zone; write one like UTC or Europe/Berlin")
    return zone


OneOrMore = Annotated[list[str], BeforeValidator(as_list), Field(min_length=1)]
DateFormats = Annotated[list[str], BeforeValidator(as_list), AfterValidator(_know_formats)]
Zone = Annotated[str | None, AfterValidator(_know_zone)]


def is_encoding(name: str) -> bool:
    """Whether Python knows an encoding of text by the name."""
    try:
        # `codecs.lookup` alone also takes codecs that are of no text, such as hex. Of no letter nothing is looked up.
        "a".encode(name)
    except (LookupError, ValueError):
        return False
    return True
