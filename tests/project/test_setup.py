"""The set-up: what it needs, what it says when something is missing, and when it has nothing to do."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"


def load(name: str) -> ModuleType:
    """A file of setup/, which is no package: it runs before anything is installed."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "setup" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def libraries() -> ModuleType:
    return load("libraries")


@pytest.fixture(scope="module")
def install(libraries: ModuleType) -> ModuleType:
    return load("install")


def start(path: Path, python: str = "") -> subprocess.CompletedProcess[str]:
    """Runs setup/start.sh with only the commands of one folder to be found."""
    return subprocess.run(
        ["/bin/sh", str(ROOT / "setup" / "start.sh")],
        env={"PATH": str(path), "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def write_command(path: Path, words: str) -> Path:
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """A folder that has `dirname`, which the script needs, and no Python."""
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    return tmp_path


def test_without_a_new_enough_python_it_says_what_to_install(bin_folder: Path) -> None:
    write_command(bin_folder / "python3", "exit 1")
    done = start(bin_folder)
    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_a_python_that_is_too_old_or_broken_is_passed_over_for_the_next(bin_folder: Path) -> None:
    write_command(bin_folder / "python3", "exit 127")
    write_command(bin_folder / "python3.12", 'test "$1" = -c && exit 0; echo "handed over with $*"')
    done = start(bin_folder)
    assert done.returncode == 0
    assert re.fullmatch(r"handed over with .*setup/install\.py\n", done.stdout)


def test_a_python_can_be_named(bin_folder: Path) -> None:
    write_command(bin_folder / "python3", 'test "$1" = -c && exit 0; echo the usual one')
    chosen = write_command(bin_folder / "mine", 'test "$1" = -c && exit 0; echo mine')
    assert start(bin_folder, str(chosen)).stdout == "mine\n"


def test_it_knows_every_library_that_weasyprint_opens_on_linux(libraries: ModuleType) -> None:
    spec = importlib.util.find_spec("weasyprint")
    assert spec
    assert spec.origin
    source = (Path(spec.origin).parent / "text" / "ffi.py").read_text()
    opened = set(re.findall(r"'(lib[^']+\.so\.\d+)'", source))
    assert opened - {library.linux for library in libraries.LIBRARIES} == {
        "libharfbuzz-vector.so.0"
    }  # for colour fonts


def test_every_library_it_knows_opens_on_this_machine(libraries: ModuleType) -> None:
    assert libraries.missing_libraries() == []


def test_a_missing_library_is_told_with_the_command_that_brings_it(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = [library for library in libraries.LIBRARIES if "subset" in library.linux]
    told: list[str] = []
    monkeypatch.setattr(libraries, "missing_libraries", lambda: missing)
    monkeypatch.setattr(libraries, "find_manager", lambda: "apt-get")
    monkeypatch.setattr(libraries, "root_prefix", lambda: None)
    advice = libraries.bring_libraries(told.append)
    assert told[0].endswith(missing[0].macos if sys.platform == "darwin" else "libharfbuzz-subset.so.0")
    assert advice.endswith("sudo apt-get install -y --no-install-recommends libharfbuzz-subset0")


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("dnf", "sudo dnf install -y pango harfbuzz fontconfig"),
        ("pacman", "sudo pacman -S --needed --noconfirm pango harfbuzz fontconfig"),
        ("brew", "brew install pango harfbuzz fontconfig"),
    ],
)
def test_each_package_manager_gets_its_own_command(libraries: ModuleType, manager: str, command: str) -> None:
    assert libraries.how_to_install(manager, libraries.MANAGERS[manager].packages).strip() == command


def test_where_no_package_manager_is_known_all_of_them_are_listed(libraries: ModuleType) -> None:
    assert libraries.find_manager(lambda name: None) is None
    advice = libraries.how_to_install(None, ())
    assert all(name in advice for name in ("apt-get", "dnf", "pacman", "brew"))


def test_settings_of_a_persons_own_pip_do_not_reach_the_environment(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_TARGET", "PIP_PREFIX", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_CERT", "mine.pem")
    environment = install.environment()
    assert not environment.keys() & {"PIP_TARGET", "PIP_PREFIX", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    assert environment["PIP_USER"] == "0"
    assert environment["PIP_CERT"] == "mine.pem"


def test_set_up_is_done_again_only_when_what_it_depends_on_changed(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "setup").mkdir()
    for name in ("requirements.lock", "pyproject.toml", "setup/install.py"):
        (tmp_path / name).write_text("as it was")
    python, stamp = tmp_path / "python", tmp_path / "ready"
    python.touch()
    for name, value in {"ROOT": tmp_path, "PYTHON": python, "STAMP": stamp}.items():
        monkeypatch.setattr(install, name, value)
    assert not install.is_ready()
    stamp.write_text(install.state_now())
    assert install.is_ready()
    (tmp_path / "requirements.lock").write_text("changed")
    assert not install.is_ready()


def test_a_failing_pip_ends_with_its_own_last_words(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "PYTHON", write_command(tmp_path / "python", "echo no space left; exit 1"))
    monkeypatch.setattr(install, "LOG", tmp_path / "setup.log")
    with pytest.raises(install.SetupStopped, match="no space left"):
        install.pip(["install"], 0)


def test_homebrews_libraries_are_found_however_python_is_started(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    monkeypatch.setattr(install, "VENV", tmp_path)
    install.point_to_homebrew()
    line = (site / "homebrew_libraries.pth").read_text()
    monkeypatch.setenv("DYLD_FALLBACK_LIBRARY_PATH", "")
    del os.environ["DYLD_FALLBACK_LIBRARY_PATH"]
    exec(line)
    assert os.environ["DYLD_FALLBACK_LIBRARY_PATH"].split(":")[0] == "/opt/homebrew/lib"


def test_every_package_in_the_lock_has_hashes_and_no_index_is_named() -> None:
    text = LOCK.read_text()
    packages = re.findall(r"^[a-z0-9].*==.*$", text, flags=re.MULTILINE)
    assert len(packages) > 50
    assert all(line.endswith("\\") for line in packages)
    assert "--hash=sha256:" in text
    assert not re.search(r"https?://|index-url|find-links", text)


def test_the_lock_has_every_package_that_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=! ]", line, maxsplit=1)[0].lower().replace("_", "-") for line in declared}
    locked = set(re.findall(r"^([a-z0-9][a-z0-9.-]*)(?:\[.*\])?==", LOCK.read_text(), flags=re.MULTILINE))
    assert names - locked == set()


def test_ci_calls_the_same_command_as_people_do() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("make test")
