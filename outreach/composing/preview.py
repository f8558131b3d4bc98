"""Writes a template as one customer would get it. Nothing is written down or sent."""

from datetime import date

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.composing.digests import media_type_for
from outreach.composing.moment_data import Assignment, Occasion
from outreach.composing.paper.pen_choice import require_writable
from outreach.composing.sample_customers import recipient_id_of
from outreach.composing.template_data import FactFinder
from outreach.composing.templating.fields import OF_MOMENT
from outreach.composing.templating.templates import Templates, saved_sources, split_name
from outreach.composing.writing import write_message
from outreach.contacts import load_key
from outreach.database import reading
from outreach.errors import NotFound
from outreach.models import Customer, Moment
from outreach.moments import MOMENTS
from outreach.settings import Settings

REFERENCE = "PREV-IEW0-0000"


def preview_template(
    engine: Engine, settings: Settings, template: str, customer_id: str, on: date, source: str | None = None
) -> tuple[bytes, str]:
    """The bytes and media type of `template`, such as letters/anniversary.en.html, for one customer on a date.

    With `source`, as if that had been saved. Raises NotFound for a customer or template that does not exist, and what
    stops a real message: TemplateRefused, FieldMissing, CannotWrite, TooLong, FailedCheck.
    """
    channel, kind, language = split_name(template)
    with reading(engine) as session:
        templates = Templates(settings.templates, saved_sources(session))
    if source is not None and source != templates.sources.get(template):
        templates.put(template, source)
        require_writable(settings, template, source, on)
    if template not in templates.sources:
        raise NotFound(f"There is no {template} in {settings.templates}")
    words = templates.find(kind, channel, [language])
    key = load_key(engine, settings)
    with reading(engine) as session:
        customer = session.get(Customer, customer_id)
        if customer is None:
            raise NotFound(f"There is no customer “{customer_id}”. Ids are those of customers.csv")
        occasion = _occasion(session, customer, kind, on)
        recipient = recipient_id_of(customer, on)
        assignment = Assignment(REFERENCE, kind, channel, recipient, (occasion,), on, on)
        finder = FactFinder(session, settings, [assignment], key)
    # Whoever nothing went wrong for shows the words for the sample's trouble.
    if MOMENTS[kind].particulars == "trouble":
        finder.known.troubles.setdefault((customer_id, occasion.key), str(OF_MOMENT[kind]["trouble"]))
    facts = finder.facts_for(assignment, language)
    written = write_message(settings, key, assignment, facts, words, finder.people)
    return written.body, media_type_for(channel, settings.provider_for("letter"))


def _occasion(session: Session, customer: Customer, kind: str, on: date) -> Occasion:
    """The occasion found last, or one as the customer's data and the samples suggest."""
    customer_id = customer.customer_id
    moments = select(Moment).where(Moment.kind == kind, Moment.customer_id == customer_id)
    latest = moments.order_by(col(Moment.found_on).desc(), col(Moment.occasion_on).desc()).limit(1)
    moment = session.exec(latest).first()
    if moment:
        return Occasion(customer_id, moment.occasion, moment.occasion_on)
    definition = MOMENTS[kind]
    day, field = definition.likely_day(session, customer, on) or on, definition.occasion_field
    return Occasion(customer_id, str(OF_MOMENT[kind][field]) if field else day.isoformat(), day)
