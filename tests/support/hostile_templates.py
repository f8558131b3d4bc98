"""Puts hostile words into templates, and seals what is let through as the program does; reads it back."""

from collections.abc import Sequence

from sqlalchemy import Engine

from conftest import TODAY
from hostile_walk import Tally, live, watching
from outreach.composing.templating.engine import check_template
from outreach.composing.templating.fields import fields_for
from outreach.composing.templating.templates import Templates, Words
from outreach.composing.writing import WrittenMessage
from outreach.contacts import load_key
from outreach.doctor.specimens import compose_specimen
from outreach.errors import ComposingError
from outreach.settings import Settings
from sealed_reader import letter_faults, parse_email, part_of, skeleton_of

KIND, LANGUAGE = "checkin", "en"
# What a template may bring to a page, beside the page around it.
TAGS = frozenset({"p", "em", "strong", "br", "ul", "ol", "li", "a"})
LINKS = ("https://", "mailto:", "tel:")


def walk_templates(name: str, engine: Engine, settings: Settings, payloads: Sequence[str], letters: int = 0) -> Tally:
    """What became of each payload as a paragraph of an e-mail, and of every so many of a letter (0 for none)."""
    own, tally = live(settings, "email"), Tally(name)
    key = load_key(engine, own)
    plain = Templates(own.templates)
    for channel in ("email", "letter") if letters else ("email",):
        right = plain.find(KIND, channel, [LANGUAGE])
        for payload in payloads[:: letters if channel == "letter" else 1]:
            with watching(tally):
                _try_one(tally, own, key, right, payload)
    return tally


def _try_one(tally: Tally, settings: Settings, key: bytes, right: Words, payload: str) -> None:
    ending = "html"
    source = f"{right.sources[ending]}\n<p>{payload}</p>\n"
    fields = fields_for(KIND, right.channel)
    dress = "letter" if right.channel == "letter" else "email"
    try:
        check_template(right.name(ending), source, fields, dress)  # type: ignore[arg-type]
        # A child for each would take an hour; all that it does is render, with a limit on time and memory.
        words = Words(right.kind, right.channel, right.language, {**right.sources, ending: source}, "")
        written = compose_specimen(settings, key, words, TODAY)
    except ComposingError:
        tally.refused += 1
        return
    without = compose_specimen(settings, key, right, TODAY)
    tally.judge(_faults(settings, words, written, without), payload)


def _faults(settings: Settings, words: Words, written: WrittenMessage, right: WrittenMessage) -> list[str]:
    if words.channel == "letter":
        return letter_faults(written.body)
    mail, plain = parse_email(written.body), parse_email(right.body)
    faults = [] if mail.items() == plain.items() else ["the headers are not ours"]
    page, ours = skeleton_of(part_of(mail, "html")), skeleton_of(part_of(plain, "html"))
    theirs = [tag for tag in page.tags if tag not in ours.tags]
    for tag, attributes in theirs:
        allowed = tag.removeprefix("/") in TAGS and all(
            name == "href" and (value or "").startswith(LINKS) for name, value in attributes
        )
        faults += [] if allowed else [f"the page has <{tag} {attributes}>"]
    return faults
