"""A template and a customer in; the message as that customer would get it out. Nothing is written down or sent."""

from datetime import date

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from outreach.clock import anniversary_in, years_between
from outreach.composing.digests import media_type_for
from outreach.composing.facts import Assignment, FactFinder
from outreach.composing.templates import Templates, saved_sources, split_name
from outreach.composing.writing import write_message
from outreach.database import reading
from outreach.errors import NotFound
from outreach.intake.contacts import load_key
from outreach.models import Customer, Invoice, Moment, Treatment
from outreach.settings import Settings

REFERENCE = "PREV-IEW0-0000"
ADULT = 18


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
    if template not in templates.sources:
        raise NotFound(f"There is no {template} in {settings.templates}")
    words = templates.find(kind, channel, [language])
    key = load_key(engine, settings)
    with reading(engine) as session:
        customer = session.get(Customer, customer_id)
        if customer is None:
            raise NotFound(f"There is no customer “{customer_id}”. Ids are those of customers.csv")
        occasion = _occasion(session, customer, kind, on)
        recipient = _recipient(customer, on)
        assignment = Assignment(REFERENCE, kind, channel, recipient, ((customer_id, occasion.isoformat()),), on, on)
        finder = FactFinder(session, settings, [assignment])
    facts = finder.facts_for(assignment, language)
    written = write_message(settings, key, assignment, facts, words, finder.people)
    return written.body, media_type_for(channel, settings.provider_for("letter"))


def _recipient(customer: Customer, on: date) -> str:
    minor = customer.born_on is not None and years_between(customer.born_on, on) < ADULT
    return customer.guardian_id if minor and customer.guardian_id else customer.customer_id


def _occasion(session: Session, customer: Customer, kind: str, on: date) -> date:
    """The occasion found last, or the one the customer's data suggest, or the date itself."""
    found = select(Moment.occasion).where(Moment.kind == kind, Moment.customer_id == customer.customer_id)
    occasion = session.exec(found.order_by(col(Moment.found_on).desc(), col(Moment.occasion).desc()).limit(1)).first()
    if occasion:
        return date.fromisoformat(occasion)
    if kind == "anniversary" and customer.customer_since:
        return anniversary_in(customer.customer_since, on.year)
    if kind == "checkin":
        done = select(col(Treatment.done_on)).where(
            Treatment.customer_id == customer.customer_id, Treatment.done_on <= on
        )
        return session.exec(done.order_by(col(Treatment.done_on).desc()).limit(1)).first() or on
    if kind == "late_payment":
        due = select(col(Invoice.due_on)).where(Invoice.customer_id == customer.customer_id, Invoice.due_on < on)
        return session.exec(due.order_by(col(Invoice.due_on)).limit(1)).first() or on
    return on
