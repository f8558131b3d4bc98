"""Which pen writes a letter: the signatory's, or the fallback pen; and what is at fault where neither has a character.

The template's own words are mended in the template, and its messages wait; a customer's data stop their letter alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

from outreach.composing.digests import PENS
from outreach.composing.handwriting.pens import Pen, find_pens, missing_letters, pen_named
from outreach.composing.template_data import business_fields
from outreach.composing.templating.engine import Fields
from outreach.composing.templating.own_words import OwnWords, find_own_words
from outreach.errors import CannotWrite, SettingsError, TemplateRefused
from outreach.settings import Settings, Signatory

# What Handwrytten would replace before writing: merge fields, and codes of signatures such as <sig:25RG>.
REPLACED = re.compile(r"[{}<>]")
MOST_NAMED = 5


def choose_pen(settings: Settings, signatory: Signatory, words: str) -> Pen:
    """The signatory's pen, or the fallback pen of the settings where only that one can write `words` and their name.

    Raises CannotWrite where neither can, SettingsError where there is no such pen, or none that can sign.
    """
    own = pen_named(signatory.pen, settings.pens)
    if not _missing(own, words) and _can_sign(own, signatory):
        return own
    pens = _pens_of(settings, signatory)
    for pen in pens:
        if not _missing(pen, words):
            return pen
    named = " nor ".join(pen.name for pen in pens)
    cannot = f"Neither {named} can" if len(pens) > 1 else f"{named} cannot"
    missing = _missing(pens[0], words)
    raise CannotWrite(f"{cannot} write {tell_scripts(missing)}; {_advise(settings, signatory, words, missing)}")


def _advise(settings: Settings, signatory: Signatory, words: str, missing: Sequence[str]) -> str:
    """What to do about characters that no pen of a letter has: which pens have them, or whether one can be made."""
    from outreach.composing.handwriting.font.letterforms import FURTHER, LATIN  # numpy takes a moment to import

    pens = [pen for pen in find_pens(settings.pens).values() if _can_sign(pen, signatory)]
    if able := [f"“{pen.name}”" for pen in pens if not _missing(pen, words)]:
        return f"set fallback_pen in outreach.toml to one that can ({', '.join(able)}), or choose another channel"
    ways = ["write the preferred_name, or what else it says of them, in Latin letters", "choose e-mail for them"]
    if set(missing) <= set(LATIN + FURTHER):
        ways.insert(0, "make one of a font that has them (outreach pen make) and set fallback_pen to it")
    return f"no pen here can: {', or '.join(ways)}"


def _pens_of(settings: Settings, signatory: Signatory) -> list[Pen]:
    """Their pen and the fallback pen, without one that cannot sign their name."""
    names = dict.fromkeys(name for name in (signatory.pen, settings.fallback_pen) if name)
    pens = [pen_named(name, settings.pens) for name in names]
    if signing := [pen for pen in pens if _can_sign(pen, signatory)]:
        return signing
    wrong = name_characters(missing_letters(pens[0].signs_with.path, signatory.name))
    raise SettingsError(f"{pens[0].name} cannot sign for {signatory.name}: it lacks {wrong}; choose another pen")


def _can_sign(pen: Pen, signatory: Signatory) -> bool:
    return not missing_letters(pen.signs_with.path, signatory.name)


def _missing(pen: Pen, words: str) -> list[str]:
    return missing_letters(pen.path, re.sub(r"\s", " ", words))


def name_characters(characters: Sequence[str]) -> str:
    """A few characters as they are and by number, since some are not to be seen."""
    named = ", ".join(f"“{each}” (U+{ord(each):04X})" for each in characters[:MOST_NAMED])
    return named if len(characters) <= MOST_NAMED else f"{named} and {len(characters) - MOST_NAMED} more"


def tell_scripts(letters: Sequence[str]) -> str:
    """How many and of which scripts, such as “2 characters (CJK)”: the characters themselves would spell out a name."""
    scripts = sorted({unicodedata.name(letter, "unnamed").split()[0] for letter in letters})
    named = ", ".join(script if script == "CJK" else script.capitalize() for script in scripts)
    return f"{len(letters)} {'character' if len(letters) == 1 else 'characters'} ({named})"


def require_writable(settings: Settings, name: str, source: str, on: date) -> None:
    """Raises TemplateRefused, with the line, where a letter's own words hold what nobody who may sign can write.

    Of those who sign, everybody counts who has agreed and is not gone by `on`. What is wrong with their pens, or that
    nobody has agreed, is no fault of a template.
    """
    if not name.startswith("letters/"):
        return
    for signatory in settings.business.signatories:
        if signatory.consent_on is None or (signatory.until or date.max) < on:
            continue
        fields = business_fields(settings.business, signatory)
        if settings.provider_for("letter") in PENS:
            blame_for_replaced(name, source, fields)
        else:
            with suppress(SettingsError):
                blame_for_unwritable(settings, name, source, signatory, fields)


def blame_for_unwritable(
    settings: Settings, name: str, source: str, signatory: Signatory, fields: Fields, written: str | None = None
) -> None:
    """Raises TemplateRefused, with the line, where its own words alone cannot be written for `signatory`.

    With `written`, the words of one letter, what is not said in it does not count.
    """
    if fault := _find_unwritable(settings, signatory, _said(source, fields, written)):
        raise TemplateRefused(name, *fault)


def blame_for_replaced(name: str, source: str, fields: Fields, written: str | None = None) -> None:
    """The same for a provider's own pens, which write everything but what they would replace."""
    for one in _said(source, fields, written):
        if found := REPLACED.search(one.words):
            reason = f"the provider's pens would not write “{found[0]}” as it stands; take it out"
            raise TemplateRefused(name, one.line, reason)


def _said(source: str, fields: Fields, written: str | None) -> list[OwnWords]:
    own = find_own_words(source, fields)
    if written is None:
        return own
    return [replace(one, words="".join(each for each in one.words if each in written)) for one in own]


def _find_unwritable(settings: Settings, signatory: Signatory, own: Sequence[OwnWords]) -> tuple[int, str] | None:
    """The first line with a character that neither pen has; of one pen alone where each lacks another."""
    pens = _pens_of(settings, signatory)
    lacking = [set(_missing(pen, "".join(one.words for one in own))) for pen in pens]
    if not all(lacking):
        return None
    sought = set.intersection(*lacking) or lacking[0]
    line, found = next((one.line, sorted(sought & set(one.words))) for one in own if sought & set(one.words))
    named = " and ".join(pen.name for pen in pens) if set.intersection(*lacking) else pens[0].name
    return line, f"{named} cannot write {name_characters(found)}; take it out, or choose another pen for the letter"
