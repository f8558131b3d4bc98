"""Fills the layouts around every message, which are ours: letterhead, address, signature, how to stop.

Unlike templates these are trusted code; a template's words go in as they were rendered.
"""

import hashlib
import tomllib
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from outreach.errors import TemplateRefused
from outreach.settings import Business, Signatory

FOLDER = Path(__file__).with_name("layouts")


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(FOLDER)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, auto_reload=False, trim_blocks=True)


def fill_layout(name: str, **values: object) -> str:
    """The layout `name` with `values` in it, each escaped unless it is Markup."""
    return _environment().get_template(name).render(**values)


@cache
def small_print(language: str) -> dict[str, str]:
    """The sentences that say who writes and how to stop, by name. Raises TemplateRefused where we have none."""
    name = "layouts/small_print.toml"
    languages: dict[str, dict[str, str]] = tomllib.loads((FOLDER / "small_print.toml").read_text("utf-8"))
    if language not in languages:
        raise TemplateRefused(name, 0, f"it does not say in “{language}” how to stop; add a [{language}] table")
    return languages[language]


def title_of(kind: str, language: str, business: Business, reference: str) -> str:
    """What the file of a `letter` or `card` is called where it is shown or read aloud; it names no customer."""
    return small_print(language)[f"{kind}_title"].format(business=business.name, reference=reference)


def signature_line(signatory: Signatory, business: Business) -> str:
    """What stands in print below the signature: their role and the business."""
    parts = [part for part in (signatory.role, business.name) if part]
    return ", ".join([parts[0][:1].upper() + parts[0][1:], *parts[1:]])


@lru_cache(maxsize=1)
def layouts_sha256() -> str:
    """A hash of every layout, so that changed letterheads show in a template's hash."""
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in {".html", ".css", ".toml"})
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()
