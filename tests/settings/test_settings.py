"""What the business decides: where secrets may stand, and what must be set before anything is sent or served."""

from pathlib import Path

import pytest

from outreach.delivery.providers import VENDORS, open_providers, require_secrets
from outreach.errors import SettingsError
from outreach.settings import Settings, load_settings, secret_of
from outreach.supervisor import serve_pages


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An outreach.toml that is in force."""
    path = tmp_path / "outreach.toml"
    path.write_text('mode = "live"\n')
    monkeypatch.setenv("OUTREACH_CONFIG", str(path))
    return path


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ('secret = "x"', "OUTREACH_SECRET"),
        ('[providers.lob]\napi_key = "live_1"', "OUTREACH_PROVIDERS__LOB__API_KEY"),
        ('[providers.twilio]\nauth_token = "1"', "OUTREACH_PROVIDERS__TWILIO__AUTH_TOKEN"),
        ('[providers.smtp]\npassword = "1"', "OUTREACH_PROVIDERS__SMTP__PASSWORD"),
    ],
)
def test_a_secret_in_outreach_toml_is_refused_with_the_name_to_set_instead(
    toml: Path, written: str, named: str
) -> None:
    toml.write_text(written)
    with pytest.raises(SettingsError, match=f"{named} in the environment"):
        load_settings()


def test_a_secret_comes_from_the_environment_or_from_a_file_named_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text("live_from_file\n")
    monkeypatch.setenv("OUTREACH_PROVIDERS__LOB__API_KEY_FILE", str(file))
    monkeypatch.setenv("OUTREACH_PROVIDERS__LOB__WEBHOOK_SECRET", "proof")
    lob = load_settings().providers.lob
    assert (secret_of(lob.api_key), secret_of(lob.webhook_secret)) == ("live_from_file", "proof")
    assert "live_from_file" not in repr(lob)
    assert lob.missing() == []


def test_a_secret_file_that_is_not_there_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTREACH_PROVIDERS__LOB__API_KEY_FILE", "/nowhere/key")
    with pytest.raises(SettingsError, match="/nowhere/key cannot be read"):
        load_settings()


@pytest.mark.parametrize(
    ("channel", "vendor", "missing"),
    [
        ("letter", "lob", "OUTREACH_PROVIDERS__LOB__API_KEY, OUTREACH_PROVIDERS__LOB__WEBHOOK_SECRET"),
        ("letter", "postgrid", "OUTREACH_PROVIDERS__POSTGRID__WEBHOOK_SECRET"),
        ("letter", "stannp", "OUTREACH_PROVIDERS__STANNP__WEBHOOK_SECRET"),
        ("letter", "handwrytten", "OUTREACH_PROVIDERS__HANDWRYTTEN__API_KEY"),
        ("email", "sendgrid", "OUTREACH_PROVIDERS__SENDGRID__WEBHOOK_PUBLIC_KEY"),
        ("email", "smtp", "OUTREACH_PROVIDERS__SMTP__HOST"),
        ("text", "twilio", "OUTREACH_PROVIDERS__TWILIO__AUTH_TOKEN"),
    ],
)
def test_a_vendor_in_use_that_lacks_its_key_or_its_webhook_secret_is_refused_at_the_start(
    toml: Path, sqlite_engine: object, channel: str, vendor: str, missing: str
) -> None:
    toml.write_text(f'mode = "live"\n[providers]\n{channel} = "{vendor}"\n')
    settings = load_settings()
    with pytest.raises(SettingsError, match=missing), open_providers(settings):
        pass
    with pytest.raises(SettingsError, match=missing):
        serve_pages(sqlite_engine, settings, None, "127.0.0.1", 0)  # type: ignore[arg-type]


def test_in_rehearsal_no_vendor_needs_anything(toml: Path) -> None:
    toml.write_text('[providers]\nletter = "lob"\n')
    require_secrets(load_settings())


def test_a_channel_is_not_given_to_a_provider_that_cannot_carry_it(toml: Path) -> None:
    toml.write_text('[providers]\nemail = "lob"\n')
    with pytest.raises(SettingsError, match=r"providers\.email"):
        load_settings()


def test_every_vendor_has_its_settings(settings: Settings) -> None:
    assert [name for name in VENDORS if not hasattr(settings.providers, name)] == []


def test_saved_sources_are_read_by_name(toml: Path) -> None:
    toml.write_text('[[sources]]\nname = "Till"\nplace = "till/"\n[[sources]]\nname = "Shop"\nplace = "mysql://r@h/s"')
    assert [(each.name, each.place) for each in load_settings().sources] == [
        ("Till", "till/"),
        ("Shop", "mysql://r@h/s"),
    ]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('name = "Shop"\nplace = "mysql://r:secret@h/s"', "the URL has a password"),
        ('name = "Shop"\nplace = "x"\npreset = "shopify"\nmapping = "m.toml"', "give “preset” or “mapping”"),
        ('name = "Shop"\nplace = "x"\n[[sources]]\nname = "Shop"\nplace = "y"', "two sources are called “Shop”"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused_and_no_password_is_repeated(
    toml: Path, written: str, said: str
) -> None:
    toml.write_text(f"[[sources]]\n{written}")
    with pytest.raises(SettingsError, match=said) as refused:
        load_settings()
    assert "secret" not in str(refused.value)
