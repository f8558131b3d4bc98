"""The steps of an import at the desk: a look at what was given, and the import itself. Each leaves what came of it.

They run for as long as they need, in a thread of the desk's; whoever waits reads in the upload's folder how far they
are. A step that is stopped midway is begun again: nothing is taken in twice.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter
from sqlalchemy import Engine

from outreach.errors import NotRecognised, OutreachError
from outreach.import_look import ImportLook, look_at_import
from outreach.intake.history import Submission
from outreach.intake.mapping.files import Mapping
from outreach.intake.recognition import choose_mapping
from outreach.intake.refused_file import RefusedFile
from outreach.intake.reports import ImportReport
from outreach.intake.run import import_data
from outreach.intake.saved_sources import require_source
from outreach.intake.sources.origins import Origin
from outreach.intake.sources.places import open_origin
from outreach.intake.uploads import Upload
from outreach.settings import Settings

log = logging.getLogger("outreach.imports")
LOOK, REPORT, PROBLEM, UNKNOWN, PROGRESS = "look.json", "report.json", "problem.txt", "unknown.txt", "progress.txt"
OUR_FAULT = "Something went wrong here, and it is our fault. Please try again in a minute, or tell a person."


class Stage(StrEnum):
    """How far an upload is."""

    #: Nobody has looked at it yet, or the look was stopped midway.
    NEW = "new"
    #: A look, or the import, is at work.
    LOOKING = "looking"
    IMPORTING = "importing"
    #: Nothing says how it is to be read.
    UNKNOWN = "unknown"
    #: It cannot be read.
    PROBLEM = "problem"
    #: It was looked at, and waits for a yes.
    SEEN = "seen"
    #: The import was stopped midway.
    BROKEN_OFF = "broken off"
    DONE = "done"


@dataclass(frozen=True)
class TitledLook:
    """What a look found."""

    #: What the files were taken for; empty for our own format.
    title: str
    look: ImportLook


_SEEN, _REPORT = TypeAdapter(TitledLook), TypeAdapter(ImportReport)


def stage_of(upload: Upload, is_at_work: bool) -> Stage:
    """How far it is; `is_at_work` says whether a step of it runs now."""
    if upload.read(REPORT) is not None:
        return Stage.DONE
    if upload.is_claimed:
        return Stage.IMPORTING if is_at_work else Stage.BROKEN_OFF
    if is_at_work:
        return Stage.LOOKING
    left = ((PROBLEM, Stage.PROBLEM), (UNKNOWN, Stage.UNKNOWN), (LOOK, Stage.SEEN))
    return next((stage for name, stage in left if upload.read(name) is not None), Stage.NEW)


def read_seen(upload: Upload) -> TitledLook | None:
    """What the last look found."""
    text = upload.read(LOOK)
    return _SEEN.validate_json(text) if text else None


def read_report(upload: Upload) -> ImportReport | None:
    """What the import did."""
    text = upload.read(REPORT)
    return _REPORT.validate_json(text) if text else None


def origin_of(upload: Upload, settings: Settings) -> Origin:
    """The files that were given, or the saved source that was chosen. Raises NotFound where it has no such name."""
    note = upload.note
    if not note.source:
        return upload.origin
    source = require_source(settings, note.source)
    return open_origin(source.place, note.encoding or source.encoding)


def read_anew(upload: Upload, **chosen: str) -> None:
    """Forgets what was seen, so that the next look reads the upload by what is chosen of its note."""
    upload.change(**chosen)
    upload.forget(LOOK, PROBLEM, UNKNOWN, PROGRESS)


def take_look(upload: Upload, engine: Engine, settings: Settings, now: datetime) -> None:
    """Looks at an upload, and leaves what it found, that nothing is recognised, or what is wrong."""
    upload.forget(LOOK, PROBLEM, UNKNOWN, PROGRESS)
    upload.clear_refused()
    refused = RefusedFile(upload.refused)
    try:
        origin = origin_of(upload, settings)
        mapping = _mapping_of(upload, origin, settings)
        look = look_at_import(engine, origin, settings, now, mapping, _teller(upload), refused)
        upload.write(LOOK, _SEEN.dump_json(TitledLook(mapping.title if mapping else "", look)).decode())
    except NotRecognised as error:
        upload.write(UNKNOWN, str(error))
    except Exception as error:
        upload.write(PROBLEM, _explain(error))
    finally:
        refused.close()


def import_claimed(upload: Upload, engine: Engine, settings: Settings, now: datetime, by: str) -> None:
    """Imports an upload that was claimed. Afterwards its files are gone, and what came of them can be read.

    One that cannot be read, though it could be looked at, is given back with what is wrong.
    """
    upload.forget(PROBLEM, PROGRESS)
    upload.clear_refused()
    refused = RefusedFile(upload.refused)
    try:
        origin = origin_of(upload, settings)
        mapping = _mapping_of(upload, origin, settings)
        submission = Submission(by, upload.shown)
        report = import_data(
            engine, origin, settings, now, mapping, _teller(upload), refused=refused, submission=submission
        )
    except Exception as error:
        upload.write(PROBLEM, _explain(error))
        upload.give_back()
        return
    finally:
        refused.close()
    upload.write(REPORT, _REPORT.dump_json(report).decode())
    # What a look shows are people's names and addresses, as the files have them.
    upload.forget(LOOK)
    upload.drop_files()


def _mapping_of(upload: Upload, origin: Origin, settings: Settings) -> Mapping | None:
    """How it is read: as was chosen for this upload, else as its source is, else as it is recognised."""
    note = upload.note
    preset, mapping = note.preset or None, settings.mappings / note.mapping if note.mapping else None
    if note.source and not (preset or mapping):
        source = require_source(settings, note.source)
        preset, mapping = source.preset, source.mapping
    return choose_mapping(origin, lambda _line: None, settings.mappings, preset, mapping)


def _teller(upload: Upload) -> Callable[[str], None]:
    return lambda line: upload.write(PROGRESS, line)


def _explain(error: Exception) -> str:
    if isinstance(error, OutreachError):
        return str(error)
    # Its text may hold a row of the file.
    log.error("an upload could not be read: %s", type(error).__name__)
    return OUR_FAULT
