"""Templates that are saved at the desk: where they stand, what is refused, and who must look at what they made."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from known_staff import know
from outreach.approval.open_batches import open_batches
from outreach.approval.template_versions import list_template_versions, save_template, undo_template
from outreach.composing.preview import preview_template
from outreach.composing.sample_customers import find_samples
from outreach.composing.template_check import check_templates
from outreach.composing.templating.engine import FILTERS, render_template
from outreach.composing.templating.fields import EXPLAINED, EXPLAINED_FILTERS, OF_MOMENT, explain_fields, fields_for
from outreach.composing.templating.templates import read_sources, saved_sources, template_fingerprint
from outreach.database import reading, writing
from outreach.errors import ApprovalError, NotAllowed, NotFound, TemplateRefused
from outreach.models import AuditEntry, Customer
from outreach.settings import Settings
from planned import add_customer, compose, message_of, plan, words_of
from template_payloads import FIELDS, GROWING, REACHING, payloads_of

LETTER = "letters/anniversary.en.html"
TEXT = "texts/checkin.en.txt"
GOOD = "<p>Dear {{ greeting }},</p>\n<p>Thank you for every one of them.</p>\n<p>Warmly,</p>"


def save(engine: Engine, settings: Settings, name: str, source: str | None, by: str = "will") -> None:
    know(engine, by)
    save_template(engine, settings, name, source, by, NOW)


def saved(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return saved_sources(session)


def fingerprint(engine: Engine, settings: Settings, kind: str) -> str:
    return template_fingerprint(settings, kind, read_sources(settings.templates) | saved(engine), None)


def undo(engine: Engine, name: str) -> None:
    know(engine, "will")
    with writing(engine) as session:
        undo_template(session, name, "will", NOW)


def test_a_saved_template_stands_in_place_of_its_file(engine: Engine, settings: Settings) -> None:
    save(engine, settings, LETTER, GOOD)
    add_customer(engine)
    reference = plan(engine, "anniversary", "letter", "c1")
    compose(engine, settings)
    assert "Thank you for every one of them." in words_of(message_of(engine, reference)[1])
    assert "every one of them" in words_of(preview_template(engine, settings, LETTER, "c1", TODAY)[0])
    assert check_templates(settings, saved(engine)) == []


def test_undo_brings_the_words_before_back_and_in_the_end_the_file(engine: Engine, settings: Settings) -> None:
    save(engine, settings, LETTER, GOOD)
    save(engine, settings, LETTER, GOOD.replace("every", "each"))
    undo(engine, LETTER)
    assert saved(engine) == {LETTER: GOOD}
    save(engine, settings, LETTER, None)
    assert saved(engine) == {}
    with reading(engine) as session:
        assert len(list_template_versions(session, LETTER)) == 4
        acts = [(entry.act, entry.subject, entry.actor) for entry in session.exec(select(AuditEntry))]
    assert acts.count(("template saved", LETTER, "will")) == 3
    assert acts.count(("template undone", LETTER, "will")) == 1


def test_undoing_the_only_version_brings_the_file_back(sqlite_engine: Engine, settings: Settings) -> None:
    save(sqlite_engine, settings, LETTER, GOOD)
    undo(sqlite_engine, LETTER)
    assert saved(sqlite_engine) == {}
    with pytest.raises(ApprovalError, match="nothing to undo"):
        undo(sqlite_engine, TEXT)


def test_a_browsers_line_ends_and_an_unchanged_file_make_no_difference(
    sqlite_engine: Engine, settings: Settings
) -> None:
    file = read_sources(settings.templates)[LETTER]
    save(sqlite_engine, settings, LETTER, file.replace("\n", "\r\n"))
    assert saved(sqlite_engine) == {}
    save(sqlite_engine, settings, LETTER, GOOD.replace("\n", "\r\n"))
    assert saved(sqlite_engine) == {LETTER: GOOD}


def test_the_first_run_after_saving_waits_for_a_person(engine: Engine, settings: Settings) -> None:
    before, other = fingerprint(engine, settings, "anniversary"), fingerprint(engine, settings, "checkin")
    add_customer(engine)
    plan(engine, "anniversary", "email", "c1")
    compose(engine, settings)
    (first,) = open_batches(engine, settings, TODAY, NOW)
    save(engine, settings, LETTER, GOOD)
    add_customer(engine, "c2", email="other@example.org")
    plan(engine, "anniversary", "email", "c2")
    compose(engine, settings)
    (second,) = open_batches(engine, settings, TODAY, NOW)
    assert first.fingerprint != second.fingerprint
    assert second.status == "waiting"
    assert fingerprint(engine, settings, "anniversary") != before
    assert fingerprint(engine, settings, "checkin") == other


def refuse(engine: Engine, settings: Settings, name: str, source: str) -> int:
    """The line that the refusal names; nothing is saved, nor audited."""
    with pytest.raises(TemplateRefused) as refused:
        save(engine, settings, name, source)
    assert saved(engine) == {}
    with reading(engine) as session:
        assert session.exec(select(AuditEntry)).all() == []
    return refused.value.line


@pytest.mark.parametrize("source", REACHING)
def test_row_31_a_template_that_reaches_into_python_is_not_saved(
    sqlite_engine: Engine, settings: Settings, source: str
) -> None:
    assert refuse(sqlite_engine, settings, LETTER, f"<p>Dear {{{{ greeting }}}},</p>\n\n{source}") == 3


def test_row_31_every_public_payload_is_not_saved_or_stays_the_text_it_is(
    shared: Path, sqlite_engine: Engine, settings: Settings
) -> None:
    payloads = [payload for payload in payloads_of(shared, "ssti") if "{{" in payload or "{%" in payload]
    assert len(payloads) > 50
    for payload in payloads:
        source = f"{{{{ business }}}} STOP {payload}"
        try:
            save(sqlite_engine, settings, TEXT, source)
        except TemplateRefused:
            continue
        rendered = render_template(TEXT, saved(sqlite_engine)[TEXT], FIELDS, "plain")  # type: ignore[arg-type]
        assert rendered.removeprefix(f"{FIELDS['business']} STOP ").strip() in payload


@pytest.mark.parametrize("source", GROWING)
def test_row_32_a_template_that_grows_without_bound_is_not_saved(
    sqlite_engine: Engine, settings: Settings, source: str
) -> None:
    refuse(sqlite_engine, settings, LETTER, source)


def test_row_33_a_misspelt_field_is_not_saved_and_its_line_is_named(sqlite_engine: Engine, settings: Settings) -> None:
    assert refuse(sqlite_engine, settings, LETTER, "<p>Dear\n{{ greetin }},</p>") == 2


@pytest.mark.parametrize(
    ("name", "source", "line"),
    [
        (LETTER, "<p>Dear {{ greeting }},</p>\n<script>x</script>", 2),
        (LETTER, "<p onclick='x'>{{ greeting }}</p>", 1),
        (TEXT, "Hello", 1),
        (TEXT, "{{ business }}: how is the {{ treatment }}? STOP", 1),
        ("letters/birthday.en.html", GOOD, 0),
        ("../outreach.html", GOOD, 0),
        (LETTER, "<p>a</p>\n\0", 2),
    ],
)
def test_what_a_file_may_not_hold_is_not_saved_either(
    sqlite_engine: Engine, settings: Settings, name: str, source: str, line: int
) -> None:
    assert refuse(sqlite_engine, settings, name, source) == line


def test_words_that_no_pen_can_write_are_not_saved_and_their_line_is_named(
    sqlite_engine: Engine, settings: Settings
) -> None:
    for written in ("Dear 😀", "{% if wards %}Dear 😀{% endif %}", '{{ "😀" if wards else "x" }}', "Dear &#128512;"):
        assert refuse(sqlite_engine, settings, LETTER, f"<p>Dear {{{{ greeting }}}},</p>\n<p>{written}</p>") == 2
    save(sqlite_engine, settings, LETTER, GOOD + '{% if greeting == "😀" %}x{% endif %}')
    save(sqlite_engine, settings, "emails/anniversary.en.html", GOOD + "<p>😀</p>")


def test_every_pen_that_may_write_the_letter_must_have_its_characters(
    sqlite_engine: Engine, settings: Settings
) -> None:
    source = "<p>Dear {{ greeting }},</p>\n<p>Alder has ¯, and Cedar does not.</p>"
    first = settings.business.signatories[0]
    others = {
        "signs": first.model_copy(update={"pen": "Cedar"}),
        "gone": first.model_copy(update={"pen": "Cedar", "until": TODAY - timedelta(days=1)}),
        "never agreed": first.model_copy(update={"pen": "Cedar", "consent_on": None}),
    }

    def with_other(who: str) -> Settings:
        business = settings.business.model_copy(update={"signatories": [first, others[who]]})
        return settings.model_copy(update={"business": business})

    assert refuse(sqlite_engine, with_other("signs"), LETTER, source) == 2
    save(sqlite_engine, with_other("signs").model_copy(update={"fallback_pen": "Alder"}), LETTER, source)
    for who in ("gone", "never agreed"):
        save(sqlite_engine, with_other(who), LETTER, source.replace("Dear", who))


def test_a_sample_who_can_be_reached_by_the_channel_comes_first(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine, "c1", email=None)
    add_customer(sqlite_engine, "c2", given_name="Ann", family_name="Lee")
    for customer in ("c1", "c2"):
        plan(sqlite_engine, "anniversary", "letter", customer)
    with reading(sqlite_engine) as session:
        by = {
            channel: find_samples(session, settings, "anniversary", TODAY, channel) for channel in ("letter", "email")
        }
    assert {channel: [sample.customer_id for sample in samples] for channel, samples in by.items()} == {
        "letter": ["c1", "c2"],
        "email": ["c2", "c1"],
    }


def test_an_unsaved_source_is_previewed_and_not_kept(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    body, media_type = preview_template(sqlite_engine, settings, LETTER, "c1", TODAY, GOOD)
    assert media_type == "application/pdf"
    assert "Dear Maria" in words_of(body)
    assert "Thank you for every one of them." in words_of(body)
    assert saved(sqlite_engine) == {}
    with pytest.raises(TemplateRefused):
        preview_template(sqlite_engine, settings, LETTER, "c1", TODAY, "{{ nobody }}")
    with pytest.raises(NotFound):
        preview_template(sqlite_engine, settings, LETTER, "c9", TODAY, GOOD)


def test_samples_are_those_who_had_the_moment_and_then_those_who_have_it_next(
    sqlite_engine: Engine, settings: Settings
) -> None:
    add_customer(sqlite_engine, "c2", given_name="Ann", family_name="Lee")
    add_customer(sqlite_engine, "c1", customer_since=TODAY.replace(year=2020, day=20))
    add_customer(sqlite_engine, "c3", died_on=TODAY)
    plan(sqlite_engine, "anniversary", "letter", "c2")
    with reading(sqlite_engine) as session:
        samples = find_samples(session, settings, "anniversary", TODAY)
        assert session.get(Customer, "c3") is not None
    assert [(sample.customer_id, sample.name) for sample in samples] == [("c2", "Ann Lee"), ("c1", "Maria Lopez")]


def test_every_field_and_every_filter_is_explained_to_whoever_writes() -> None:
    for kind in OF_MOMENT:
        explained = dict(explain_fields(kind, "letter"))
        assert set(explained) == set(fields_for(kind, "letter"))
        assert all(explained.values())
    assert set(EXPLAINED) <= {name for kind in OF_MOMENT for name in fields_for(kind, "letter")}
    assert set(FILTERS) == set(EXPLAINED_FILTERS)


def test_a_viewer_saves_no_template_whatever_page_let_them_in(sqlite_engine: Engine, settings: Settings) -> None:
    know(sqlite_engine, "will", "viewer")
    with pytest.raises(NotAllowed, match="their role is viewer"):
        save(sqlite_engine, settings, LETTER, GOOD)
    with pytest.raises(NotAllowed, match="their role is viewer"):
        undo(sqlite_engine, LETTER)
    assert saved(sqlite_engine) == {}
