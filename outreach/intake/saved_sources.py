"""Imports a source that the settings name, or a folder, when nobody looks on: what goes wrong stands in the history."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from outreach.errors import NotFound, OutreachError
from outreach.intake.file_import import Tell
from outreach.intake.history import NIGHTLY_RUN, Submission, record_failure
from outreach.intake.recognition import choose_mapping
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data
from outreach.intake.sources.places import open_origin
from outreach.settings import Settings
from outreach.settings.sources import SavedSource


def require_source(settings: Settings, name: str) -> SavedSource:
    """The source of this name in `[[sources]]`; raises NotFound where there is none."""
    for source in settings.sources:
        if source.name == name:
            return source
    known = ", ".join(each.name for each in settings.sources) or "none"
    raise NotFound(f"No source is called “{name}”; [[sources]] in outreach.toml names {known}")


def source_of(settings: Settings, named: str, mapping: Path | None = None) -> SavedSource:
    """The source of this name, else the folder; `mapping` stands above how the source itself is read."""
    try:
        source = require_source(settings, named)
    except NotFound:
        source = SavedSource(name=named[:80], place=named)
    return source.model_copy(update={"mapping": mapping, "preset": None}) if mapping else source


def import_at_night(
    engine: Engine, source: SavedSource, settings: Settings, now: datetime, tell: Tell = lambda _line: None
) -> ImportReport:
    """Takes in all of a source. What it raises, where nothing can be read, stands in the history first."""
    submission = Submission(NIGHTLY_RUN, source.name)
    try:
        origin = open_origin(source.place, source.encoding)
        mapping = choose_mapping(origin, tell, settings.mappings, source.preset, source.mapping)
    except OutreachError as error:
        record_failure(engine, submission, now, error)
        raise
    return import_data(engine, origin, settings, now, mapping, tell, submission=submission)
