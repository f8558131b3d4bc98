"""Writes one line of today's call sheet: what a call is about, what to say, and what not to say."""

import re

from outreach.composing.digests import canonical_json
from outreach.composing.template_data import Facts
from outreach.composing.templating.engine import render_template
from outreach.composing.templating.templates import Words

_BREAK = re.compile(r"^---$", re.MULTILINE)


def write_call(facts: Facts, words: Words) -> bytes:
    """Canonical JSON: `about` (the template's first line), `script`, `avoid` (after a line of ---), `direct_line`.

    Raises FieldMissing, CannotWrite and TooLong.
    """
    name = words.name("txt")
    about, _, rest = render_template(name, words.sources["txt"], facts.fields, "plain").partition("\n")
    script, *avoid = _BREAK.split(rest, maxsplit=1)
    call = {
        "about": about.strip(),
        "script": script.strip(),
        "avoid": avoid[0].strip() if avoid else "",
        "direct_line": facts.fields.get("practitioner_phone") or facts.fields["signatory_phone"],
    }
    return canonical_json(call).encode()
