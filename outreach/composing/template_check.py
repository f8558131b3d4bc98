"""Says what must be mended of all templates before anybody is written to by them. It changes none."""

from collections.abc import Mapping
from datetime import date

from outreach.composing.paper.pen_choice import require_writable
from outreach.composing.templating.fields import OF_MOMENT
from outreach.composing.templating.templates import NOTHING_SAVED, Templates
from outreach.errors import TemplateRefused
from outreach.moments import knobs_for
from outreach.settings import Settings


def check_templates(settings: Settings, saved: Mapping[str, str] = NOTHING_SAVED, on: date = date.min) -> list[str]:
    """What must be mended: templates that may not be used, and moments without words in the business's language.

    Of those who sign, who is gone by `on` does not count.
    """
    templates = Templates(settings.templates, saved)
    for name in templates.sources.keys() - templates.refused.keys():
        try:
            require_writable(settings, name, templates.sources[name], on)
        except TemplateRefused as refused:
            templates.refused[name] = refused
    problems = {name: str(refused) for name, refused in templates.refused.items()}
    for kind in OF_MOMENT:
        for channel in knobs_for(settings, kind).channels:
            try:
                templates.find(kind, channel, [settings.business.language])
            except TemplateRefused as refused:
                problems[refused.template] = str(refused)
    return [problems[name] for name in sorted(problems)]
