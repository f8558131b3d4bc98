"""Templates and settings: languages, what is broken and what is missing, fingerprints and previews."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from outreach.composing.preview import preview_template
from outreach.composing.run import compose_planned
from outreach.composing.template_check import check_templates
from outreach.composing.template_data import signatory_on
from outreach.composing.templating.fields import OF_MOMENT
from outreach.composing.templating.templates import read_sources, template_fingerprint
from outreach.database import reading
from outreach.errors import NotFound, SettingsError, TemplateRefused
from outreach.models import Content
from outreach.settings import Settings, Signatory
from planned import (
    CHANNELS,
    add_customer,
    compose,
    message_of,
    plain_words,
    plan,
    words_of,
)


def copy_templates(settings: Settings, folder: Path, **changed: str) -> Settings:
    """The settings with a templates folder of their own, in which the files in `changed` differ."""
    for path in settings.templates.rglob("*.*"):
        target = folder / path.relative_to(settings.templates)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    for name, source in changed.items():
        folder.joinpath(name.replace("__", "/").replace("_dot_", ".")).write_text(source, encoding="utf-8")
    return settings.model_copy(update={"templates": folder})


def test_the_customers_language_comes_first_and_then_the_businesss(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    german = (
        "<p>Guten Tag {{ greeting }}: {{ years|in_words }} Jahre, seit {{ since|longdate }}: {{ reward|money }}</p>"
    )
    own = copy_templates(settings, tmp_path, letters__anniversary_dot_de_dot_html=german)
    add_customer(sqlite_engine, language="de-AT")
    add_customer(sqlite_engine, "c2", language="fr")
    first, second = (plan(sqlite_engine, "anniversary", "letter", each) for each in ("c1", "c2"))
    compose(sqlite_engine, own)
    message, body = message_of(sqlite_engine, first)
    assert message.language == "de"
    assert "3 Jahre, seit 10. März 2023: 20 $" in words_of(body)
    assert "10. März 2026" in words_of(body)
    assert "Wenn Sie keine Briefe mehr möchten" in words_of(body)
    message, body = message_of(sqlite_engine, second)
    assert message.language == "en"
    assert "March 10, 2026" in words_of(body)


def test_a_broken_template_stops_only_its_own_messages_and_they_wait(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    own = copy_templates(settings, tmp_path, letters__checkin_dot_en_dot_html="<p>Dear {{ nmae }},</p>")
    add_customer(sqlite_engine)
    broken, sound = plan(sqlite_engine, "checkin", "letter", "c1"), plan(sqlite_engine, "anniversary", "letter", "c1")
    report = compose_planned(sqlite_engine, own, TODAY, NOW)
    assert message_of(sqlite_engine, broken)[0].status == "planned"
    assert message_of(sqlite_engine, sound)[0].status == "composed"
    assert report.waiting == {("checkin", "letter"): 1}
    assert any("letters/checkin.en.html, line 1" in each for each in report.to_mend)
    assert compose(sqlite_engine, settings).composed == {("checkin", "letter"): 1}


def test_without_a_signatory_who_has_agreed_nothing_is_signed(sqlite_engine: Engine, settings: Settings) -> None:
    nobody = settings.business.model_copy(update={"signatories": [Signatory(name="Nora Whitcomb")]})
    add_customer(sqlite_engine)
    reference = plan(sqlite_engine, "anniversary", "email", "c1")
    report = compose(sqlite_engine, settings.model_copy(update={"business": nobody}))
    assert "consent_on" in " ".join(report.to_mend)
    assert message_of(sqlite_engine, reference)[0].status == "planned"


def test_whoever_is_away_or_gone_does_not_sign(settings: Settings) -> None:
    day = date(2026, 3, 10)
    agreed = {"consent_on": date(2025, 1, 1)}
    people = [
        Signatory(name="away", away=[(day, day)], **agreed),
        Signatory(name="gone", until=day - timedelta(1), **agreed),
        Signatory(name="new", **{"from": day + timedelta(1)}, **agreed),
        Signatory(name="later", consent_on=day + timedelta(1)),
        Signatory(name="here", **agreed),
    ]
    business = settings.business.model_copy(update={"signatories": people})
    assert signatory_on(settings.model_copy(update={"business": business}), day).name == "here"


@pytest.mark.parametrize("missing", ["name", "address", "phone", "email"])
def test_a_business_that_does_not_say_who_it_is_writes_nothing(
    sqlite_engine: Engine, settings: Settings, missing: str
) -> None:
    business = settings.business.model_copy(update={missing: "" if missing != "address" else []})
    add_customer(sqlite_engine)
    plan(sqlite_engine, "anniversary", "text", "c1")
    report = compose(sqlite_engine, settings.model_copy(update={"business": business}))
    assert not report.composed
    assert missing in " ".join(report.to_mend)


def test_our_own_templates_are_in_order_and_a_bad_one_is_named(settings: Settings, tmp_path: Path) -> None:
    assert check_templates(settings) == []
    own = copy_templates(settings, tmp_path, texts__checkin_dot_en_dot_txt="{{ business }}: {% for %} STOP")
    (tmp_path / "letters/late_payment.en.html").unlink()
    problems = check_templates(own)
    assert ["letters/late_payment.en.html" in problems[0], "texts/checkin.en.txt, line 1" in problems[1]] == [True] * 2


def test_the_fingerprint_of_a_moment_changes_with_its_own_templates_only(settings: Settings, tmp_path: Path) -> None:
    sources = read_sources(settings.templates)
    before = {kind: template_fingerprint(settings, kind, sources, None) for kind in OF_MOMENT}
    own = copy_templates(settings, tmp_path, calls__checkin_dot_en_dot_txt="Other\nwords")
    after = {kind: template_fingerprint(own, kind, read_sources(own.templates), None) for kind in OF_MOMENT}
    assert [kind for kind in OF_MOMENT if before[kind] != after[kind]] == ["checkin"]


def test_a_missing_templates_folder_is_a_setting_to_mend(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="templates"):
        check_templates(settings.model_copy(update={"templates": tmp_path / "nowhere"}))


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_preview_is_what_the_customer_would_get_and_leaves_nothing(
    sqlite_engine: Engine, settings: Settings, channel: str
) -> None:
    add_customer(sqlite_engine)
    ending = "html" if channel in {"letter", "email"} else "txt"
    body, media_type = preview_template(sqlite_engine, settings, f"{channel}s/checkin.en.{ending}", "c1", TODAY)
    assert "Maria" in plain_words(channel, body)
    assert media_type == {"letter": "application/pdf", "email": "message/rfc822"}.get(channel, media_type)
    with reading(sqlite_engine) as session:
        assert session.exec(select(Content)).all() == []


def test_a_preview_says_what_is_not_there(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    with pytest.raises(NotFound):
        preview_template(sqlite_engine, settings, "letters/anniversary.en.html", "nobody", TODAY)
    with pytest.raises(NotFound):
        preview_template(sqlite_engine, settings, "letters/anniversary.it.html", "c1", TODAY)
    with pytest.raises(TemplateRefused):
        preview_template(sqlite_engine, settings, "../outreach.toml", "c1", TODAY)
