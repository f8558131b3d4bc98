"""Composes one message of each kind of moment and channel as it would leave in live mode, and says what fails.

The person and the facts are samples, never a customer's; the templates, the knobs and the business are the real ones.
Nothing is written down and nothing is handed to a provider.
"""

from collections.abc import Iterator
from datetime import date, datetime
from urllib.parse import urlsplit

from sqlalchemy import Engine

from outreach.channels import CALL, EMAIL, LETTER, TEXT
from outreach.clock import business_date
from outreach.composing.digests import media_type_for
from outreach.composing.moment_data import Assignment, Occasion
from outreach.composing.paper.addresses import full_name
from outreach.composing.proofing.wrong_recipient import person_of
from outreach.composing.template_data import Facts, business_fields, greeting_name, locale_of, signatory_on
from outreach.composing.templating.engine import Value
from outreach.composing.templating.fields import COMMON, OF_MOMENT
from outreach.composing.templating.templates import Templates, Words, saved_sources
from outreach.composing.writing import WrittenMessage, write_message
from outreach.contacts import load_key
from outreach.database import reading
from outreach.delivery.providers import Handover
from outreach.delivery.providers.sealed_mail import read_sealed
from outreach.doctor.findings import RESERVED_NAMES
from outreach.errors import OutreachError, SettingsError
from outreach.intake.postal_rules import rules_of
from outreach.models import Customer
from outreach.moments import MOMENTS, knobs_for
from outreach.planning.knobs import with_saved_knobs
from outreach.settings import Settings

REFERENCE = "SAMP-LE00-0000"
# With every field that an address anywhere may need; `sample_in` puts them into the business's own country.
SAMPLE = Customer(
    customer_id="sample",
    given_name="Maria",
    family_name="Lopez",
    address_line1="1 Sample Street",
    city="Sampleton",
    region="VT",
    postal_code="05401",
)
# Nobody's: numbers from 555-0100 to 555-0199 are kept for samples in North America, and names ending in .example
# everywhere (RFC 2606).
_CONTACTS: dict[str, str] = {
    LETTER.name: "us|05401|1 sample street",
    EMAIL.name: "maria.lopez@sample.example",
    TEXT.name: "+18025550117",
    CALL.name: "+18025550117",
}


def sample_in(country: str) -> Customer:
    """The sample customer with a postal code that the country can have."""
    return SAMPLE.model_copy(update={"postal_code": rules_of(country).example or SAMPLE.postal_code})


def find_specimen_faults(engine: Engine, settings: Settings, now: datetime) -> str:
    """One line for each different fault, with every kind and channel that has it; empty when all are composed.

    What the settings lack, such as somebody who signs, is of no kind or channel, and is said alone.

    Kinds that are switched off and channels that a kind does not use are left out.
    """
    with reading(engine) as session:
        tuned, saved = with_saved_knobs(session, settings), saved_sources(session)
    live, key = as_live(tuned), load_key(engine, tuned)
    templates = Templates(live.templates, saved)
    where: dict[str, list[str]] = {}
    for kind, channel in _in_use(live):
        try:
            fault = _find_fault(live, key, templates, kind, channel, now)
        except SettingsError as error:
            where.setdefault(str(error), [])
            continue
        if fault:
            where.setdefault(fault, []).append(f"{kind} by {channel}")
    return "\n".join(f"{', '.join(places)}: {fault}" if places else fault for fault, places in where.items())


def as_live(settings: Settings) -> Settings:
    """The settings in live mode. A public address that leads nowhere has a finding of its own, and none here."""
    business = settings.business
    address = urlsplit(business.public_url)
    if (address.hostname or "").endswith(RESERVED_NAMES) or address.scheme != "https":
        business = business.model_copy(update={"public_url": "https://desk.sample.example"})
    return settings.model_copy(update={"mode": "live", "business": business})


def _in_use(settings: Settings) -> Iterator[tuple[str, str]]:
    for kind in MOMENTS:
        knobs = knobs_for(settings, kind)
        if knobs.enabled:
            yield from ((kind, channel) for channel in knobs.channels)


def _find_fault(settings: Settings, key: bytes, templates: Templates, kind: str, channel: str, now: datetime) -> str:
    """What is wrong with it, for a person to mend; nothing where it is composed. Raises SettingsError."""
    try:
        words = templates.find(kind, channel, [settings.business.language])
        written = compose_specimen(settings, key, words, business_date(now, settings.business.timezone))
        if channel == EMAIL.name:
            to = (full_name(SAMPLE), _CONTACTS[EMAIL.name])
            read_sealed(email_handover(settings, written.body, to, REFERENCE, now))
    except SettingsError:
        raise
    except OutreachError as error:
        return str(error)
    # A fault of ours must name its kind and channel too: whoever reads this has no traceback. No customer is in it.
    except Exception as error:
        return f"{type(error).__name__} while it was composed ({error}); report this, with the template"
    return ""


def compose_specimen(settings: Settings, key: bytes, words: Words, today: date) -> WrittenMessage:
    """The message that `words` make of the sample person and facts. Raises ComposingError or SettingsError."""
    occasion = Occasion(SAMPLE.customer_id, _occasion_key(words.kind), today)
    assignment = Assignment(REFERENCE, words.kind, words.channel, SAMPLE.customer_id, (occasion,), today, today)
    facts = sample_facts(settings, words, today)
    return write_message(settings, key, assignment, facts, words, {SAMPLE.customer_id: person_of(facts.recipient)})


def _occasion_key(kind: str) -> str:
    field = MOMENTS[kind].occasion_field
    return str(OF_MOMENT[kind][field]) if field else "sample"


def sample_facts(settings: Settings, words: Words, today: date) -> Facts:
    """What the business says of itself, and the samples for the rest. Raises SettingsError where nobody can sign."""
    business, signatory = settings.business, signatory_on(settings, today)
    locale = locale_of(words.language, settings)
    fields: dict[str, Value] = (
        COMMON
        | OF_MOMENT[words.kind]
        | {
            "greeting": greeting_name(SAMPLE, "greeting"),
            "wards": None,
            "several_wards": False,
            **business_fields(business, signatory),
            "currency": business.currency,
            "locale": locale,
        }
    )
    return Facts(sample_in(business.country), dict(_CONTACTS), signatory, locale, fields)


def email_handover(settings: Settings, body: bytes, to: tuple[str, str], reference: str, now: datetime) -> Handover:
    """One e-mail to a name and an address as its provider is given it, outside every batch."""
    return Handover(
        reference=reference,
        key=f"{reference}.1",
        channel=EMAIL.name,
        recipient={"name": to[0], "email": to[1]},
        content=body,
        media_type=media_type_for(EMAIL.name, settings.provider_for(EMAIL.name)),
        on=business_date(now, settings.business.timezone),
        batch_id="",
        begun_at=now,
    )
