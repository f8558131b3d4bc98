"""Finds the checked words for one moment, channel and language: in the templates folder, or as saved at the desk.

Every source is checked, and tried out within limits, before any is used. Layouts are ours and not in that folder.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from sqlmodel import Session, col, func, select

from outreach.channels import CALL, CHANNELS, EMAIL, LETTER, TEXT
from outreach.composing.paper.card_sizes import CARDS, LETTER_PAPER, chosen_paper
from outreach.composing.templating.engine import Dress, check_template
from outreach.composing.templating.fields import OF_MOMENT, fields_for, public
from outreach.composing.templating.harsh_words import require_kind_words
from outreach.composing.templating.sandbox import TemplateTrial, job_for, try_out
from outreach.composing.templating.small_print import layouts_sha256
from outreach.composing.templating.subject_line import require_whole_subject
from outreach.errors import SettingsError, TemplateRefused
from outreach.local_files import read_text
from outreach.models import TemplateVersion
from outreach.moments import MOMENTS
from outreach.settings import Settings

BY_FOLDER = {channel.folder: channel for channel in CHANNELS.values()}
NOTHING_SAVED: Mapping[str, str] = MappingProxyType({})
_NAME = re.compile(r"(letters|emails|texts|calls)/([a-z_]+)\.([a-z]{2,3})\.(html|txt)")


@dataclass(frozen=True)
class Words:
    """The sources of one moment's templates for one channel, by ending, all in one language."""

    kind: str
    channel: str
    language: str
    sources: Mapping[str, str]
    sha256: str

    def name(self, ending: str) -> str:
        return f"{CHANNELS[self.channel].folder}/{self.kind}.{self.language}.{ending}"


class Templates:
    """All templates as they are now: the files of one folder, and in place of some what was saved at the desk.

    `refused` says why some must not be used, by name.
    """

    def __init__(self, folder: Path, saved: Mapping[str, str] = NOTHING_SAVED) -> None:
        self.sources = read_sources(folder) | dict(saved)
        self.refused: dict[str, TemplateRefused] = {}
        jobs: list[TemplateTrial] = []
        for name, source in self.sources.items():
            try:
                jobs += _check(name, source)
            except TemplateRefused as refused:
                self.refused[name] = refused
        for name, fault in try_out(tuple(jobs)).items():
            self.refused[name] = TemplateRefused(name, fault.line, fault.reason)

    def put(self, name: str, source: str) -> None:
        """Puts `source` in the place of the template `name`. Raises TemplateRefused, and then nothing has changed."""
        check_source(name, source)
        self.sources[name] = source
        self.refused.pop(name, None)

    def find(self, kind: str, channel: str, languages: Sequence[str]) -> Words:
        """The words in the first of `languages` that has them. Raises TemplateRefused when none has, or one is bad."""
        of = CHANNELS[channel]
        for language in languages:
            names = [f"{of.folder}/{kind}.{language}.{ending}" for ending in of.template_endings]
            if not all(name in self.sources for name in names):
                continue
            if bad := [self.refused[name] for name in names if name in self.refused]:
                raise bad[0]
            sources = {name.rsplit(".", 1)[1]: self.sources[name] for name in names}
            return Words(kind, channel, language, sources, _hash([*sorted(sources.values()), layouts_sha256()]))
        wanted = f"{of.folder}/{kind}.{languages[-1]}.{of.template_endings[-1]}"
        raise TemplateRefused(wanted, 0, f"there is no such template in {' or '.join(languages)}; write it")


def read_sources(folder: Path) -> dict[str, str]:
    """The source of each file in the folder, by name. Raises SettingsError where there is none, or one is not UTF-8."""
    if not folder.is_dir():
        raise SettingsError(f"There is no templates folder at {folder}; set `templates` in outreach.toml")
    paths = sorted(
        path for name in BY_FOLDER for path in (folder / name).glob("*.*") if path.suffix in {".html", ".txt"}
    )
    try:
        return {path.relative_to(folder).as_posix(): read_text(path) for path in paths}
    except UnicodeDecodeError as error:
        raise SettingsError(f"A template in {folder} is not UTF-8 ({error.reason}); save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"The template {error.filename} cannot be read ({error.strerror}); mend it") from error


def saved_sources(session: Session) -> dict[str, str]:
    """The sources that were saved at the desk and stand, by the template's name."""
    newest = select(func.max(TemplateVersion.version)).group_by(col(TemplateVersion.name))
    standing = session.exec(select(TemplateVersion).where(col(TemplateVersion.version).in_(newest)))
    return {version.name: version.source for version in standing if version.source is not None}


def check_source(name: str, source: str) -> None:
    """The whole check of one template: its name, fields, filters and tags, and a trial in a child process.

    Raises TemplateRefused with the line.
    """
    if "\0" in source:
        raise TemplateRefused(name, source.count("\n", 0, source.index("\0")) + 1, "it holds a character of no width")
    for fault in try_out(_check(name, source)).values():
        raise TemplateRefused(name, fault.line, fault.reason)


def split_name(name: str) -> tuple[str, str, str]:
    """The channel, moment and language of a template's name. Raises TemplateRefused for one that fits none."""
    found = _NAME.fullmatch(name)
    if not found or found[2] not in OF_MOMENT or found[4] not in BY_FOLDER[found[1]].template_endings:
        listed = ", ".join(OF_MOMENT)
        raise TemplateRefused(name, 0, f"name it like letters/anniversary.en.html; the moments are {listed}")
    return BY_FOLDER[found[1]].name, found[2], found[3]


def moment_of(name: str) -> str:
    """The moment whose template it is by its name, whether or not there is such a moment."""
    return name.rpartition("/")[2].split(".")[0]


# Each run and each page of the desk reads all templates anew, and hardly any of them has changed since the last.
@lru_cache(maxsize=256)
def _check(name: str, source: str) -> tuple[TemplateTrial, ...]:
    """The jobs that try a template out. A subject line counts as a template with only the public fields."""
    channel, kind, _ = split_name(name)
    fields = fields_for(kind, channel)
    dress: Dress = "plain"
    if channel == LETTER.name and chosen_paper(source) != LETTER_PAPER:
        fields = public(fields)
        _check_card(name, source, kind)
    if name.endswith(".html"):
        dress = "letter" if channel == LETTER.name else "email"
    used = check_template(name, source, fields, dress)
    if name.endswith(".txt") and channel in {EMAIL.name, CALL.name}:
        _check_first_line(name, source, kind)
    require_kind_words(name, source, kind, channel)
    if channel == TEXT.name and not ("business" in used and "STOP" in source):
        raise TemplateRefused(name, 1, "a text names the business ({{ business }}) and says how to stop (STOP)")
    return (job_for(name, source, dress, fields),)


def _check_card(name: str, source: str, kind: str) -> None:
    if chosen_paper(source) not in CARDS:
        raise TemplateRefused(name, 1, f"there is no such paper; there are letter, {', '.join(CARDS)}")
    # Anybody who carries or finds a card can read it, and what is of service is about something of theirs.
    if MOMENTS[kind].purpose == "service":
        raise TemplateRefused(name, 1, "anyone can read a card, and this moment is nobody's business; write a letter")


def _check_first_line(name: str, source: str, kind: str) -> None:
    require_whole_subject(name, source)
    check_template(name, source.partition("\n")[0], public(fields_for(kind, "email")), "plain")


def template_fingerprint(settings: Settings, kind: str, sources: Mapping[str, str], letterhead: bytes | None) -> str:
    """A hash of all of a moment's `sources`, by channel and language, and of the layouts and paper around them."""
    parts = [part for name in sorted(sources) if moment_of(name) == kind for part in (name, sources[name])]
    paper = [settings.paper.model_dump_json(), (letterhead or b"").decode("utf-8-sig")]
    return _hash([*parts, layouts_sha256(), *paper])


def _hash(parts: Sequence[str]) -> str:
    # No source that may be used holds a NUL, so that two lists of sources never join to the same text.
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
