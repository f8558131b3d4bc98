"""Marketing's pages as a browser sees them: moments, knobs with what would change, templates, treatments."""

import re
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import TODAY
from outreach.database import reading, writing
from outreach.models import KnobVersion, Pause, TemplateVersion, Treatment, TreatmentAnswer
from outreach.moments import MOMENTS, knobs_for
from outreach.settings import Settings
from outreach.web import marketing
from outreach.web.knob_forms import ELSEWHERE, label_of
from planned import add_customer, plan
from serving import Browser, serving

DAYS_AHEAD = marketing.DAYS_AHEAD
TEMPLATE = "/templates/letters/anniversary.en.html"
GOOD = "<p>Dear {{ greeting }},</p>\n<p>What a year.</p>\n<p>Warmly,</p>"
FORM = {
    "enabled": "on", "weekdays": ["mon", "tue", "wed", "thu", "fri"], "most_a_day": "5", "approval": "rule",
    "wait_days": "7",
    "channels": "letter, email", "grace_days": "7", "lead_days": "5", "reward": "2500", "shared_since_percent": "1.0",
    "silent_days": "365",
}  # fmt: skip


@pytest.fixture(autouse=True)
def a_week_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom we would write to is worked out for days that each take a while, in a test of knobs as at the desk."""
    monkeypatch.setattr(marketing, "DAYS_AHEAD", 7)


@pytest.fixture
def pages(sqlite_engine: Engine, settings: Settings) -> Iterator[httpx.Client]:
    add_customer(sqlite_engine, customer_since=TODAY.replace(year=2020, day=12))
    with serving(sqlite_engine, settings) as client:
        client.timeout = httpx.Timeout(60)  # the first letter of a process takes seconds on a busy machine
        yield client


@pytest.fixture
def will(pages: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(pages, sqlite_engine, "will", "writer")


@pytest.fixture
def vera(pages: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(pages, sqlite_engine, "vera", "viewer")


def test_the_list_shows_every_moment_with_what_lies_ahead(vera: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marketing, "DAYS_AHEAD", DAYS_AHEAD)
    page = vera.get("/moments")
    assert page.status_code == 200
    assert all(f'href="/moments/{moment}"' in page.text for moment in MOMENTS)
    assert "1 treatment waits" not in page.text, "a filling is listed in the settings"
    assert "1 message" in page.text


@pytest.mark.parametrize("moment", list(MOMENTS))
def test_every_moment_has_a_page_with_all_its_knobs(vera: Browser, settings: Settings, moment: str) -> None:
    page = vera.get(f"/moments/{moment}")
    assert page.status_code == 200
    knobs = type(knobs_for(settings, moment))
    for name in knobs.model_fields:
        assert name in ELSEWHERE or (f'name="{name}"' in page.text and label_of(knobs, name)[0] in page.text), name
    assert ">Save<" not in page.text, "a viewer saves nothing"


def test_a_moment_that_does_not_exist_has_no_page(vera: Browser, will: Browser) -> None:
    assert vera.get("/moments/birthday").status_code == 404
    assert will.post("/moments/birthday", **FORM).status_code == 404
    assert will.post("/moments/birthday/pause").status_code == 404


def test_checking_shows_what_would_change_and_saves_nothing(will: Browser, sqlite_engine: Engine) -> None:
    page = will.post("/moments/anniversary/check", **FORM | {"weekdays": ["sun"], "grace_days": "0"})
    assert page.status_code == 200
    assert "What would change" in page.text
    assert re.search(r"Gift, in cents: 2000 → <strong>2500", page.text)
    assert 'value="2500"' in page.text, "what was typed stays"
    with reading(sqlite_engine) as session:
        assert session.exec(select(KnobVersion)).all() == []


def test_saving_changes_what_stands_at_once_and_undo_takes_it_back(will: Browser, sqlite_engine: Engine) -> None:
    page = will.press("/moments/anniversary", **FORM)
    assert "Saved" in page.text
    assert 'value="2500"' in page.text
    assert "at most 5 a day" in will.get("/moments").text
    page = will.press("/moments/anniversary/undo")
    assert 'value="2000"' in page.text
    with reading(sqlite_engine) as session:
        assert [version.by for version in session.exec(select(KnobVersion))] == ["will", "will"]


@pytest.mark.parametrize("path", ["/moments/anniversary", "/moments/anniversary/check"])
def test_a_knob_that_does_not_fit_is_named_and_what_was_typed_stays(will: Browser, path: str) -> None:
    page = will.post(path, **FORM | {"reward": "a lot"})
    assert page.status_code == 400
    assert "reward" in page.text
    assert 'value="a lot"' in page.text


def test_a_viewer_changes_nothing(vera: Browser, sqlite_engine: Engine) -> None:
    for path in ("/moments/anniversary", "/moments/anniversary/check", "/moments/anniversary/undo"):
        assert vera.post(path, **FORM).status_code == 403
    assert vera.post("/moments/anniversary/pause").status_code == 403
    assert vera.post("/moments/treatments", name="Crown", answer="yes").status_code == 403
    assert vera.post(TEMPLATE, source=GOOD).status_code == 403
    with reading(sqlite_engine) as session:
        for table in (KnobVersion, TemplateVersion, TreatmentAnswer, Pause):
            assert session.exec(select(table)).all() == []


def test_a_moment_is_paused_by_a_writer_and_goes_on_by_an_approver(
    will: Browser, pages: httpx.Client, sqlite_engine: Engine
) -> None:
    assert "This moment is paused" in will.press("/moments/anniversary/pause").text
    assert will.post("/moments/anniversary/resume").status_code == 403
    maria = Browser(pages, sqlite_engine, "maria", "approver")
    assert "Sending goes on" in maria.press("/moments/anniversary/resume").text


def test_a_template_is_shown_with_its_fields_and_a_real_customers_letter(vera: Browser) -> None:
    page = vera.get(TEMPLATE)
    assert page.status_code == 200
    assert "Maria Lopez (c1)" in page.text
    assert 'src="data:image/png;base64,' in page.text
    assert "<code>greeting</code>" in page.text


def test_a_letter_that_no_pen_can_write_is_refused_at_the_desk_with_its_line(will: Browser) -> None:
    page = will.post(TEMPLATE, source="<p>Dear {{ greeting }},</p>\n<p>Thank you 😀</p>", customer="c1")
    assert page.status_code == 400
    assert "line 2: Alder cannot write “😀”" in page.text
    assert "Saved" not in page.text
    assert "😀" not in will.get(TEMPLATE).text


def test_the_preview_of_an_email_opens_on_somebody_who_has_an_address(will: Browser, sqlite_engine: Engine) -> None:
    add_customer(sqlite_engine, "c0", given_name="Ann", email=None)
    plan(sqlite_engine, "anniversary", "letter", "c0")
    page = will.get("/templates/emails/anniversary.en.txt")
    assert "Ann Lopez (c0)" in page.text
    assert re.search(r'value="c0" selected', page.text) is None
    assert "cannot be reached by email" not in page.text


def test_words_are_tried_as_they_are_typed_and_then_saved(will: Browser) -> None:
    headers = will.headers | {"Accept": "application/json"}
    typed = {"csrf": will.csrf, "source": GOOD, "customer": "c1"}
    tried = will.client.post(f"{TEMPLATE}/try", data=typed, headers=headers).json()
    assert tried["picture"].startswith("data:image/png;base64,")
    refused = will.client.post(f"{TEMPLATE}/try", data=typed | {"source": "\n{{ nobody }}"}, headers=headers).json()
    assert "line 2" in refused["problem"]
    assert "What a year." not in will.get(TEMPLATE).text
    assert "What a year." in will.press(TEMPLATE, source=GOOD, customer="c1").text
    assert "changed here" in will.get("/moments/anniversary").text
    assert "What a year." not in will.press(f"{TEMPLATE}/undo").text


def test_a_refused_template_names_its_line_and_keeps_what_was_typed(will: Browser, sqlite_engine: Engine) -> None:
    page = will.post(TEMPLATE, source="<p>Dear {{ greeting }},</p>\n<script>mine</script>", customer="c1")
    assert page.status_code == 400
    assert "line 2" in page.text
    assert "&lt;script&gt;mine" in page.text
    assert "<script>mine" not in page.text
    with reading(sqlite_engine) as session:
        assert session.exec(select(TemplateVersion)).all() == []


@pytest.mark.parametrize("name", ["letters/nothing.en.html", "letters/anniversary.xx.html", "other/thing.html"])
def test_a_template_that_does_not_exist_has_no_page_and_cannot_be_made(will: Browser, name: str) -> None:
    assert will.get(f"/templates/{name}").status_code in {400, 404}
    assert will.post(f"/templates/{name}", source=GOOD).status_code in {400, 404}


@pytest.mark.parametrize(("channel", "said"), [("emails", "Maria"), ("texts", "Alder Lane"), ("calls", "Maria")])
def test_what_is_not_a_letter_is_shown_as_its_words(vera: Browser, channel: str, said: str) -> None:
    page = vera.get(f"/templates/{channel}/checkin.en.txt?customer=c1")
    assert page.status_code == 200
    shown = page.text.split('id="preview"')[1].split("</div>")[0]
    assert said in shown


def test_a_new_treatment_waits_for_one_yes_or_no(will: Browser, sqlite_engine: Engine, settings: Settings) -> None:
    assert "No treatment waits" in will.get("/moments/treatments").text
    with writing(sqlite_engine) as session:
        treatment = session.exec(select(Treatment)).first()
        assert treatment is not None
        treatment.name = "Crown & bridge"
        session.add(treatment)
    page = will.get("/moments/treatments")
    assert "Crown &amp; bridge" in page.text
    assert "never asked about" in page.text
    answered = will.press("/moments/treatments", name="Crown & bridge", answer="yes")
    assert "No treatment waits" in answered.text
    assert "crown &amp; bridge" in answered.text
    assert will.post("/moments/treatments", name="Crown", answer="maybe").status_code == 400
