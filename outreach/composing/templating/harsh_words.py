"""Finds the first line of words about a late payment that threatens, sets a day or names a consequence.

Every language's list is searched, whatever the words' own language is. It judges words only, never a person.
"""

import re

from outreach.channels import CALL
from outreach.errors import TemplateRefused
from outreach.moments import MOMENTS

# “may” is a month before a number only, and behind “{{” a field will say the day.
_DAYS = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|the end of|\d|january|february|march|april|may \d|june|july"
    r"|august|september|october|november|december|\{\{"
)
_HARSH = {
    "a threat": (
        r"legal (?:action|proceedings|steps|department)|law ?suit|\bsue\b|\bcourt\b|attorney|lawyer|solicitor"
        r"|collections? (?:agency|agent|department|firm)|to collections|debt collector|credit (?:score|rating|report"
        r"|bureau|record)|garnish|repossess|evict|bailiff|final (?:notice|demand|reminder|warning)"
        r"|last (?:notice|warning|chance|reminder)|inkasso|anwalt|gericht|letzte (?:mahnung|warnung|erinnerung)"
        r"|gerichtsvollzieher|\bavocat\b|tribunal|huissier|mise en demeure|dernier (?:avis|rappel)|abogado|juzgado"
        r"|embargo|acci(?:ón|ones) legal(?:es)?|[uú]ltimo aviso"
    ),
    "a consequence": (
        r"consequence|penalt(?:y|ies)|(?:late|additional|extra) (?:fee|charge)s?|failure to|if you (?:do not|don['’]t"
        r"|fail to) pay|interest (?:will|is|charge)|\bdisconnect|cut(?:ting)? off|suspend|terminat|mahngeb[uü]hr"
        r"|verzugszinsen|sperren|konsequenz|p[ée]nalit[ée]|majoration|cons[ée]quence|suspension|recargo"
        r"|penalizaci[oó]n|consecuencia|intereses de demora"
    ),
    "a deadline or a demand": (
        r"deadline|immediate|urgent|\bat once\b|must (?:pay|be paid)|\bdemand|no later than"
        rf"|\b(?:by|before) (?:{_DAYS})"
        r"|\bwithin (?:the next )?(?:\d+|\{\{|a |one|two|three|five|seven|ten|fourteen)"
        r"|unverz[uü]glich|umgehend|\bfrist|bis (?:zum|sp[aä]testens)|innerhalb von|sp[aä]testens|imm[ée]diat"
        r"|au plus tard|avant le|sous \d+ jours|d[ée]lai|inmediat|a m[aá]s tardar|antes del|plazo|en \d+ d[ií]as"
    ),
}
_PATTERNS = {what: re.compile(pattern, re.IGNORECASE) for what, pattern in _HARSH.items()}
_NOT_READ = re.compile(r"(?:<[^<>]*>|&nbsp;|&#160;|\s)+")


def require_kind_words(name: str, source: str, kind: str, channel: str) -> None:
    """Raises TemplateRefused, with the line, for words about a late payment that press whoever reads them.

    What a call's template tells staff not to say, after its line of ---, is not read out and may name it.
    """
    if "debt" not in MOMENTS[kind].traits:
        return
    said = re.split(r"^---$", source, maxsplit=1, flags=re.MULTILINE)[0] if channel == CALL.name else source
    # Words may be parted by tags and line ends; each letter keeps its place in the source, for its line.
    kept = [(letter, place) for place, letter in enumerate(_NOT_READ.sub(_blank, said)) if letter != "\0"]
    plain = "".join(letter for letter, _ in kept)
    for what, pattern in _PATTERNS.items():
        if found := pattern.search(plain):
            line = said.count("\n", 0, kept[found.start()][1]) + 1
            raise TemplateRefused(name, line, f"“{found[0].strip()}” is {what}: nobody who is late is pressed by us")


def _blank(found: re.Match[str]) -> str:
    """One space for all that parts two words, and marks for the rest of its length."""
    return " " + "\0" * (len(found[0]) - 1)
