"""Reads the e-mail address out of what people and programs write around one. It judges no address."""

import re
from urllib.parse import unquote

_NAMED_ADDRESS = re.compile(r"[^<>]*<\s*([^<>\s]+@[^<>\s]+)\s*>\s*[.,;]*")
_AROUND = "<>()[]{}\"'`“”‘’„«»‹›,;:"
_MAILTO = "mailto:"
# A text without any of these is an address as it stands, for all that `trim_email` knows.
AROUND_EMAIL = re.compile(rf"[{re.escape(_AROUND)}]|\.(?:\s|$)")


def trim_email(value: str) -> str:
    """The address out of `mailto:a@b.example`, `"Ann" <a@b.example>;` or `(a@b.example).`; anything else as it is."""
    named = _NAMED_ADDRESS.fullmatch(value.strip())
    text = named[1] if named else value
    # Signs and “mailto:” may stand around each other in any order, so both are taken off until nothing changes.
    before = ""
    while text != before:
        before, text = text, text.strip().strip(_AROUND).rstrip(".").strip()
        if text[: len(_MAILTO)].casefold() == _MAILTO:
            text = unquote(text[len(_MAILTO) :].partition("?")[0])
    return text if text.count("@") == 1 else value.strip()
