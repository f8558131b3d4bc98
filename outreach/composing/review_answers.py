"""Drafts a public answer to a review, out of the business's own facts, for staff to copy out.

No customer's data comes in here, so no answer can tell that whoever wrote the review is a customer.
"""

from datetime import date

from outreach.composing.template_data import public_fields, signatory_on
from outreach.composing.templating.engine import Value, check_template, render_template
from outreach.errors import SettingsError, TemplateRefused
from outreach.local_files import read_regular
from outreach.settings import Settings

FOLDER = "answers"


def draft_review_answer(settings: Settings, on: date) -> str:
    """The draft in the business's language, else in English, signed as messages of that day are.

    Raises TemplateRefused where there is no such template or it names more than the business, FieldMissing where the
    business lacks what it names.
    """
    name, source = _find(settings)
    fields = _fields(settings, on)
    check_template(name, source, fields, "plain")
    return render_template(name, source, fields, "plain").strip()


def _find(settings: Settings) -> tuple[str, str]:
    for language in dict.fromkeys((settings.business.language, "en")):
        name = f"{FOLDER}/review_reply.{language}.txt"
        path = settings.templates / name
        if path.is_file():
            return name, _read(name, read_regular(path))
    raise TemplateRefused(f"{FOLDER}/review_reply.en.txt", 0, "there is no such template; write it")


def _read(name: str, source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"The template {name} is not UTF-8; save it as UTF-8") from error


def _fields(settings: Settings, on: date) -> dict[str, Value]:
    business = settings.business
    return {
        **public_fields(business, signatory_on(settings, on)),
        # Whether it is a practice: then not even that somebody comes there may be said.
        "health": business.kind == "health",
    }
