"""The places that customer data comes from again and again: `[[sources]]` in outreach.toml. They hold no password."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from outreach.settings.parts import Part


class SavedSource(Part):
    """One place, by a name that people choose at the desk and that the flow `intake` takes."""

    name: str = Field(min_length=1, max_length=80)
    #: A folder or a file, or the URL of a database without its password.
    place: str = Field(min_length=1)
    #: The system that it comes from; without it and `mapping` it is recognised.
    preset: str | None = None
    mapping: Path | None = None
    #: That of its files of text, where it cannot be told.
    encoding: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> "SavedSource":
        if self.preset and self.mapping:
            raise ValueError("give “preset” or “mapping”; a mapping of your own may say extends = “NAME”")
        if "://" in self.place and "@" in self.place and urlsplit(self.place).password:
            raise ValueError(
                "the URL has a password, and people share outreach.toml; docs/data.md says where else it may stand"
            )
        return self


def _require_names_differ(sources: tuple[SavedSource, ...]) -> tuple[SavedSource, ...]:
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two sources are called “{name}”; give each a name of its own")
    return sources


SavedSources = Annotated[tuple[SavedSource, ...], AfterValidator(_require_names_differ)]
