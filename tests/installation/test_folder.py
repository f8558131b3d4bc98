"""Where an installation is found from, and what becomes of paths that were typed elsewhere."""

import os
from pathlib import Path

import pytest

from outreach.errors import SettingsError
from outreach.installation import enter_installation, enter_own_installation, find_installation
from outreach.installation import folder as installation_folder


@pytest.fixture
def alder(tmp_path: Path) -> Path:
    (tmp_path / "alder" / "exports" / "may").mkdir(parents=True)
    (tmp_path / "alder" / "outreach.toml").touch()
    return tmp_path / "alder"


def test_an_installation_is_found_from_any_folder_within_it(alder: Path) -> None:
    for folder in (alder, alder / "exports", alder / "exports" / "may"):
        assert find_installation(folder) == alder


def test_the_nearest_of_two_installations_is_taken(alder: Path) -> None:
    (alder / "exports" / "outreach.toml").touch()
    assert find_installation(alder / "exports" / "may") == alder / "exports"


def test_a_folder_with_the_name_of_the_settings_makes_no_installation(tmp_path: Path) -> None:
    (tmp_path / "outreach.toml").mkdir()
    assert find_installation(tmp_path) is None


def test_a_command_enters_the_installation_that_it_was_called_in(alder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(alder / "exports")
    assert enter_installation() == alder == Path.cwd()


def test_without_an_installation_the_current_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert enter_installation() == tmp_path == Path.cwd()


def test_where_the_settings_are_named_the_current_folder_stays(alder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(alder / "exports")
    monkeypatch.setenv("OUTREACH_CONFIG", "may.toml")
    assert enter_installation() == alder / "exports" == Path.cwd()


def test_a_run_enters_the_installation_of_its_worker_even_from_within_another(
    alder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "birch").mkdir()
    monkeypatch.chdir(alder)
    monkeypatch.setenv("OUTREACH_INSTALLATION", str(tmp_path / "birch"))
    assert enter_own_installation() == tmp_path / "birch" == Path.cwd()


def test_a_worker_of_no_installation_is_told_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(installation_folder, "PACKAGE", tmp_path / "site-packages" / "outreach")
    with pytest.raises(SettingsError, match="OUTREACH_INSTALLATION is not set; .* holds outreach.toml"):
        enter_own_installation()
    monkeypatch.setenv("OUTREACH_INSTALLATION", str(tmp_path / "gone"))
    with pytest.raises(SettingsError, match="names .*gone, which is no folder here"):
        enter_own_installation()
    assert Path(os.curdir).resolve() == tmp_path
