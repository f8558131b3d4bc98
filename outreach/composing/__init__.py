"""Planned messages and templates in; the exact bytes of every letter, e-mail, text and call line out.

It never sends, never approves, and never writes a word that a customer's data or a template's author could bend.
"""

from outreach.composing.editing import preview_edited, words_of
from outreach.composing.preview import preview_template
from outreach.composing.reports import ComposeReport
from outreach.composing.run import compose_planned
from outreach.composing.templating.templates import check_templates, template_fingerprint

__all__ = [
    "ComposeReport",
    "check_templates",
    "compose_planned",
    "preview_edited",
    "preview_template",
    "template_fingerprint",
    "words_of",
]
