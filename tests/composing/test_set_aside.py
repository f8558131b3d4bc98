"""One bad message is set aside alone, with its reason; the template that caused it is refused when it is saved."""

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import Engine
from sqlmodel import Session
from typer.testing import CliRunner

from approved import add_approved
from checkout import PROJECT
from conftest import NOW, TODAY
from outreach import database
from outreach.clock import stopped_clock
from outreach.commands.main import app
from outreach.composing import recheck, template_data, writing
from outreach.composing.paper.pen_choice import require_writable
from outreach.composing.reports import ComposeReport
from outreach.composing.run import compose_planned
from outreach.composing.template_check import check_templates
from outreach.composing.templating.engine import render_template, try_branches
from outreach.composing.templating.fields import fields_for
from outreach.composing.templating.templates import Templates, check_source
from outreach.database import reading
from outreach.delivery.sender import deliver_due
from outreach.errors import TemplateRefused
from outreach.learning.counts import count_set_aside
from outreach.models import Message
from outreach.settings import Settings
from planned import add_customer, message_of, plan
from serving import Browser, serving

SHIPPED = PROJECT / "templates"
TEXT, PAGE, LETTER = "emails/anniversary.en.txt", "emails/anniversary.en.html", "letters/anniversary.en.html"
DEBT = "letters/late_payment.en.html"
# What is put in the place of the template's third line.
REFUSED = {
    "a vertical tab": (TEXT, "With us\x0bfor years", 3),
    "a line separator": (PAGE, "<p>With us\u2028for years</p>", 3),
    "a direction override": (LETTER, "<p>With us \u202efor years</p>", 3),
    "an untried branch that asserts": (TEXT, "{% if not wards %}Since {{ years|longdate }}.{% endif %}", 3),
    "an untried else": (TEXT, "{% if wards %}x{% else %}{{ years|monthday }}{% endif %}", 3),
    "an untried elif": (TEXT, "{% if wards %}x{% elif years == 77 %}{{ years|weekday }}{% endif %}", 3),
    "an untried side of a choice in a line": (PAGE, "<p>{{ (since if wards else years)|longdate }}</p>", 3),
    "the untried end of an or": (PAGE, "{% if wards or years|longdate %}<p>x</p>{% endif %}", 3),
    "the untried end of an and": (PAGE, "{% if not wards and since < years %}<p>x</p>{% endif %}", 3),
    "raw": (PAGE, "{% raw %}{{ <style>.stop{display:none}</style> }}{% endraw %}", 3),
    "raw in a letter": (LETTER, "{%- raw -%}<b>x</b>{%- endraw -%}", 3),
    "raw in plain words": (TEXT, "{% raw %}{{ greeting }}{% endraw %}", 3),
    "a line break in quotes": (TEXT, '{{ "x\\ny" }}', 3),
    "a vertical tab in quotes": (TEXT, '{{ "x\\x0by" }}', 3),
    "a tag in words that only look like a field": (PAGE, '{{ "{#" }}<style>{{ "#}" }}', 3),
    "a list that is never closed": (PAGE, "<ul><li>x", 3),
    "a link that is never closed": (PAGE, '<a href="https://x.example">x', 3),
    "an emphasis that is never closed, in an e-mail": (PAGE, "<p>We <em>thank you.</p>", 3),
    "an emphasis that is never closed, in a letter": (LETTER, "<p>We <em>thank you.</p>", 3),
    "a strong that is never closed, on a card": (LETTER, "<strong>x{# paper: card 4x6 #}", 3),
    "an emphasis that is closed and not open": (LETTER, "<p>We thank</em> you.</p>", 3),
    "an emphasis that is closed within what began later": (LETTER, "<em>a <strong>b</em> c</strong>", 3),
    "an emphasis that is left open on one side only": (LETTER, "{% if years %}x{% else %}<em>y{% endif %}", 3),
    "an emphasis that is left open for each bill": (DEBT, "{% for bill in bills %}<em>x{% endfor %}", 3),
}
FINE = {
    "both sides of a choice in a line": (PAGE, "<p>{{ wards if wards else greeting }}</p>", 0),
    "a list under a choice": (PAGE, "{% if reward %}<ul>{% endif %}{% if reward %}<li>x</li></ul>{% endif %}", 0),
    "an emphasis whose both sides begin it": (LETTER, "{% if wards %}<em>a{% else %}<em>b{% endif %}</em>", 0),
    "an emphasis that two choices begin and end": (
        LETTER, "{% if wards %}<em>{% endif %}x{% if wards %}</em>{% endif %}", 0
    ),
    "paragraphs and items that end by themselves": (PAGE, "<p>a<p>b<ul><li>c<li>d</ul>", 0),
    "a tab": (TEXT, "With us\tfor years", 0),
    "words in quotes": (TEXT, '{% if greeting == "Maria" %}x{% endif %}', 0),
    "a test of what may be empty": (TEXT, "{% if not years or years > 2 %}x{% endif %}", 0),
}  # fmt: skip


def source_with(name: str, line: str) -> str:
    lines = (SHIPPED / name).read_text("utf-8").split("\n")
    return "\n".join([*lines[:2], line, *lines[2:]])


@pytest.mark.parametrize(("name", "written", "line"), REFUSED.values(), ids=REFUSED)
def test_a_template_that_would_fail_is_refused_when_it_is_saved_with_its_line(
    name: str, written: str, line: int
) -> None:
    with pytest.raises(TemplateRefused) as refused:
        check_source(name, source_with(name, written))
    assert refused.value.line == line


@pytest.mark.parametrize(("name", "written", "line"), FINE.values(), ids=FINE)
def test_what_works_on_both_sides_is_saved(name: str, written: str, line: int) -> None:
    check_source(name, source_with(name, written))


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\u202e", "\x00", "\x7f"])
def test_a_subject_with_a_control_character_is_refused_on_its_first_line(sign: str) -> None:
    source = (SHIPPED / TEXT).read_text("utf-8")
    with pytest.raises(TemplateRefused) as refused:
        check_source(TEXT, f"A small anniversary,{sign}and a thank you\n{source.partition(chr(10))[2]}")
    assert refused.value.line == 1


# What is typed from the third line of a letter on; the line that is named, and what is said of it.
EXPLAINED = {
    "a field that is never closed": ("{{ greeting \n</p>\n<p>Well? Yes.</p>", 3, "a {{ that is never closed"),
    "the same before another": ("{{ greeting \n</p>\n{{ business }}", 3, "a {{ that is never closed"),
    "a choice that is cut off": ("{% if years \n</p>\n<p>x</p>{% endif %}", 3, "a {% that is never closed"),
    "a comment that is never closed": ("{# x\n\n", 3, "a {# that is never closed"),
    "an if without its end": ("{% if years %}a\n{% if wards %}b{% endif %}\n\n", 3, "{% if %} that is never closed"),
    "an if within a loop": ("{% if years %}a\n{% endfor %}", 3, "{% if %} that is never closed"),
    "an end of nothing": ("x{% endif %}", 3, "an {% endif %} with no {% if %} before it"),
    "what is not to be known": ("{% frob %}", 3, "“frob” is not for templates"),
    "two fields in one": ("{{ greeting years }}", 3, "“{{ greeting years }}” cannot be read"),
    "a sign that has no place": ("{{ greeting ? }}", 3, "“?” cannot stand in {{ }}"),
    "a tag that there is not": ("<b>x</b> Dear {{ greeting }}", 3, "“<b>” is not a tag this template may use"),
    "a tag with a field in it": ("<p id='{{ greeting }}'>", 3, "“<p id='{{ greeting }}'>” is not a tag"),
    "the tags that there are": ("<i>x</i>", 3, "there are <p>, <em>, <strong> and <br>"),
}


@pytest.mark.parametrize(("written", "line", "said"), EXPLAINED.values(), ids=EXPLAINED)
def test_a_template_that_cannot_be_read_is_explained_where_the_fault_begins_in_the_authors_own_words(
    written: str, line: int, said: str
) -> None:
    with pytest.raises(TemplateRefused) as refused:
        check_source(LETTER, f"<p>Dear {{{{ greeting }}}},</p>\n\n{written}")
    assert (refused.value.line, said in refused.value.reason) == (line, True), str(refused.value)
    assert "Jinja" not in str(refused.value)
    assert "xxx" not in str(refused.value)


@pytest.mark.parametrize("name", [TEXT, "calls/anniversary.en.txt"])
@pytest.mark.parametrize(
    "broken",
    [
        "A small anniversary,\nAnd a thank you\nDear {{ greeting }},",
        "A small anniversary\nand a thank you\n\nDear {{ greeting }},",
        "A Small Anniversary\nAnd A Thank You\nDear {{ greeting }},",
    ],
)
def test_a_subject_on_two_lines_is_refused_with_the_second(name: str, broken: str) -> None:
    with pytest.raises(TemplateRefused, match="line 2: this reads as the rest of the subject"):
        check_source(name, broken)
    subject, _, rest = broken.partition("\n")
    check_source(name, f"{subject}\n\n{rest}")


def test_line_ends_of_any_system_are_no_control_characters() -> None:
    check_source(PAGE, (SHIPPED / PAGE).read_text("utf-8").replace("\n", "\r\n"))


def test_the_branches_of_every_template_that_comes_with_us_are_tried_and_well() -> None:
    assert Templates(SHIPPED).refused == {}


def test_every_side_of_each_if_is_passed_through_once() -> None:
    fields = fields_for("anniversary", "email") | {"currency": "USD", "locale": "en_US"}
    source = "{% if wards %}a{% elif years == 77 %}b{% else %}c{{ x|longdate }}{% endif %}"
    with pytest.raises(TemplateRefused, match="line 1"):
        try_branches("x", source, fields | {"x": 5}, "plain")
    try_branches("x", source, fields | {"x": TODAY}, "plain")


@pytest.mark.parametrize("dress", ["letter", "email"])
def test_a_tag_that_got_past_the_check_is_found_in_the_words(dress: Any) -> None:
    source = "{% raw %}<style>p{display:none}</style>{% endraw %}"
    with pytest.raises(TemplateRefused, match="tag"):
        render_template("emails/x.en.html", source, {}, dress)


def test_the_reason_of_a_failed_filter_repeats_no_value() -> None:
    with pytest.raises(TemplateRefused) as refused:
        render_template("x", "{{ greeting|longdate }}", {"greeting": "Zephyrine", "locale": "en_US"}, "plain")
    assert "Zephyrine" not in str(refused.value)


# --- one message alone ---


def with_templates(settings: Settings, folder: Path, name: str, source: str) -> Settings:
    shutil.copytree(SHIPPED, folder / "templates")
    (folder / "templates" / name).write_text(source, "utf-8")
    return settings.model_copy(update={"templates": folder / "templates"})


def three_planned(engine: Engine) -> list[str]:
    for number in range(1, 4):
        add_customer(engine, f"c{number}", email=f"c{number}@example.org")
    return [plan(engine, "anniversary", "email", f"c{number}") for number in range(1, 4)]


def statuses(engine: Engine, references: list[str]) -> list[str]:
    return [message_of(engine, reference)[0].status for reference in references]


def test_messages_of_a_template_that_is_refused_are_set_aside_and_the_others_written(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    source = (SHIPPED / TEXT).read_text("utf-8").replace("anniversary, and", "anniversary,\x0band")
    own = with_templates(settings, tmp_path, TEXT, source)
    mine = three_planned(sqlite_engine)
    letter = plan(sqlite_engine, "checkin", "letter", "c1")
    report = compose_planned(sqlite_engine, own, TODAY, NOW)
    assert statuses(sqlite_engine, [*mine, letter]) == ["planned"] * 3 + ["composed"]
    [reason] = report.to_mend
    assert reason.startswith(f"{TEXT}, line 1: ")
    with reading(sqlite_engine) as session:
        assert count_set_aside(session) == {("anniversary", "email", reason): 3}
    assert not compose_planned(sqlite_engine, settings, TODAY, NOW).to_mend
    with reading(sqlite_engine) as session:
        assert not count_set_aside(session)


UNWRITABLE = "<p>Dear {{ greeting }},</p>\n<p>Thank you 😀 for all of it.</p>"


def test_letters_of_a_template_that_no_pen_can_write_are_set_aside_and_written_once_it_is_mended(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    own = with_templates(settings, tmp_path, LETTER, UNWRITABLE)
    for number in range(1, 4):
        add_customer(sqlite_engine, f"c{number}")
    mine = [plan(sqlite_engine, "anniversary", "letter", f"c{number}") for number in range(1, 4)]
    report = compose_planned(sqlite_engine, own, TODAY, NOW)
    assert statuses(sqlite_engine, mine) == ["planned"] * 3
    assert report.waiting == {("anniversary", "letter"): 3}
    [reason] = report.to_mend
    assert reason.startswith(f"{LETTER}, line 2: Alder cannot write “😀” (U+1F600)")
    with reading(sqlite_engine) as session:
        assert count_set_aside(session) == {("anniversary", "letter", reason): 3}
    assert check_templates(own) == [reason]
    compose_planned(sqlite_engine, settings, TODAY, NOW)
    assert statuses(sqlite_engine, mine) == ["composed"] * 3


def test_a_name_that_no_pen_can_write_stops_that_letter_alone(sqlite_engine: Engine, settings: Settings) -> None:
    for number, name in enumerate(("Maria", "小", "Ann"), start=1):
        add_customer(sqlite_engine, f"c{number}", preferred_name=name)
    mine = [plan(sqlite_engine, "anniversary", "letter", f"c{number}") for number in range(1, 4)]
    report = compose_planned(sqlite_engine, settings, TODAY, NOW)
    assert statuses(sqlite_engine, mine) == ["composed", "withdrawn", "composed"]
    assert not report.to_mend


def test_a_character_in_words_that_a_letter_does_not_say_stops_no_letter(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    source = "<p>Dear {{ greeting }},</p>\n<p>{% if wards %}😀{% else %}Thank you.{% endif %}</p>"
    own = with_templates(settings, tmp_path, LETTER, source)
    add_customer(sqlite_engine)
    mine = plan(sqlite_engine, "anniversary", "letter", "c1")
    compose_planned(sqlite_engine, own, TODAY, NOW)
    assert statuses(sqlite_engine, [mine]) == ["composed"]


@pytest.mark.parametrize("changed", [{"name": "Zahnärzte 牙"}, {"address": ["1 牙 Road", "Burlington, VT 05401"]}])
def test_what_the_settings_say_of_us_and_no_face_can_write_waits_to_be_mended(
    sqlite_engine: Engine, settings: Settings, changed: dict[str, Any]
) -> None:
    own = settings.model_copy(update={"business": settings.business.model_copy(update=changed)})
    add_customer(sqlite_engine)
    mine = plan(sqlite_engine, "anniversary", "letter", "c1")
    [reason] = compose_planned(sqlite_engine, own, TODAY, NOW).to_mend
    assert statuses(sqlite_engine, [mine]) == ["planned"]
    assert "“牙” (U+7259)" in reason


def test_a_signature_that_no_pen_can_write_waits_to_be_mended(sqlite_engine: Engine, settings: Settings) -> None:
    signatory = settings.business.signatories[0].model_copy(update={"name": "Nora 惠"})
    business = settings.business.model_copy(update={"signatories": [signatory]})
    add_customer(sqlite_engine)
    mine = plan(sqlite_engine, "anniversary", "letter", "c1")
    report = compose_planned(sqlite_engine, settings.model_copy(update={"business": business}), TODAY, NOW)
    assert statuses(sqlite_engine, [mine]) == ["planned"]
    assert "cannot sign for Nora 惠" in " ".join(report.to_mend)


def test_a_bracket_that_a_providers_pens_would_replace_is_the_templates_fault(
    settings: Settings,
) -> None:
    providers = settings.providers.model_copy(update={"letter": "handwrytten"})
    own = settings.model_copy(update={"mode": "live", "providers": providers})
    with pytest.raises(TemplateRefused, match="line 2: the provider's pens would not write “<”"):
        require_writable(own, LETTER, "<p>Dear {{ greeting }},</p>\n<p>1 &lt; 2</p>", TODAY)
    require_writable(own, LETTER, UNWRITABLE, TODAY)


def test_the_count_that_is_told_is_of_what_was_written(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    own = with_templates(settings, tmp_path, LETTER, UNWRITABLE)
    for number in range(1, 4):
        add_customer(sqlite_engine, f"c{number}")
    plan(sqlite_engine, "anniversary", "email", "c1")
    for number in (2, 3):
        plan(sqlite_engine, "anniversary", "letter", f"c{number}")
    told: list[str] = []
    compose_planned(sqlite_engine, own, TODAY, NOW, told.append)
    assert told == ["1 of 3 messages written; 2 wait for what must be mended"]


def test_what_waits_is_counted_once_however_often_a_run_tries_it() -> None:
    waits = ComposeReport(waiting=Counter({("anniversary", "letter"): 3}), to_mend={"mend it"})
    assert (waits + waits).waiting == {("anniversary", "letter"): 3}


@pytest.mark.parametrize("error", [AssertionError, KeyError, RecursionError, UnicodeEncodeError])
def test_whatever_fails_over_one_message_the_others_are_written(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    known = writing.write_email

    def fall_over_one(*arguments: Any) -> bytes:
        if arguments[2][1] == "c2@example.org":
            raise error("utf-8", "Zephyrine", 0, 1, "x") if error is UnicodeEncodeError else error("Zephyrine")
        return known(*arguments)

    monkeypatch.setattr(writing, "write_email", fall_over_one)
    mine = three_planned(sqlite_engine)
    report = compose_planned(sqlite_engine, settings, TODAY, NOW)
    assert statuses(sqlite_engine, mine) == ["composed", "planned", "composed"]
    [reason] = report.to_mend
    assert error.__name__ in reason
    assert "Zephyrine" not in reason
    assert message_of(sqlite_engine, mine[1])[0].status_reason == reason


def test_facts_that_cannot_be_read_of_one_person_stop_nobody_else(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = template_data.load_standings

    def fall_over_one(session: Session, on: Any, ids: Any, currency: str) -> Mapping[str, Any]:
        if "c2" in ids:
            raise OverflowError("c2")
        return known(session, on, ids, currency)

    monkeypatch.setattr(template_data, "load_standings", fall_over_one)
    mine = three_planned(sqlite_engine)
    report = compose_planned(sqlite_engine, settings, TODAY, NOW)
    assert statuses(sqlite_engine, mine) == ["composed", "planned", "composed"]
    assert report.waiting == {("anniversary", "email"): 1}


def test_what_is_set_aside_is_told_on_today_and_in_status(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall_over(*_: object) -> NoReturn:
        raise KeyError("Zephyrine")

    monkeypatch.setattr(writing, "write_email", fall_over)
    three_planned(sqlite_engine)
    compose_planned(sqlite_engine, settings, TODAY, NOW)
    with serving(sqlite_engine, settings) as client:
        maria = Browser(client, sqlite_engine, "maria", "viewer")
        for page in ("/", "/status"):
            assert "3 messages are set aside" in maria.get(page).text
    ran = CliRunner().invoke(app, ["status", "--database", str(sqlite_engine.url)])
    assert "SET ASIDE 3 anniversary by email" in " ".join(ran.output.split())
    asked = CliRunner().invoke(app, ["status", "--json", "--database", str(sqlite_engine.url)])
    assert '"set_aside": [{"moment": "anniversary", "channel": "email", "reason": "it cannot be written' in asked.output


def test_a_last_check_that_fails_over_one_message_lets_the_others_go(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = three_planned(sqlite_engine)
    compose_planned(sqlite_engine, settings, TODAY, NOW)
    known = recheck.candidates_for

    def fall_over_one(*arguments: Any) -> Any:
        if any(found.customer_id == "c2" for found in arguments[3]):
            raise KeyError("Zephyrine")
        return known(*arguments)

    monkeypatch.setattr(recheck, "candidates_for", fall_over_one)
    with reading(sqlite_engine) as session:
        messages = [message_of(sqlite_engine, reference)[0] for reference in mine]
        before = recheck.recheck(session, settings, messages, TODAY, NOW)
    assert before[mine[1]].only_waits
    assert "KeyError" in before[mine[1]].reason
    assert "Zephyrine" not in before[mine[1]].reason
    assert "could not be looked at" not in str([before.get(mine[0]), before.get(mine[2])])


def test_a_beginning_that_fails_over_one_message_lets_the_others_go(engine: Engine, settings: Settings) -> None:
    with database.writing(engine) as session:
        for reference in ("A", "B", "C"):
            add_approved(session, reference, channel="text")
        session.get_one(Message, "B").recipient = "{"
    told: list[str] = []
    report = deliver_due(engine, settings, stopped_clock(NOW), "s", told.append)
    assert report.sent == {"text": 2}
    with reading(engine) as session:
        left = session.get_one(Message, "B")
    assert left.status == "approved"
    assert left.status_reason
    assert left.status_reason.startswith("it could not be begun: JSONDecodeError")
    assert f"B: {left.status_reason}" in told
