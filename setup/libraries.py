"""The native libraries that WeasyPrint opens by name: which are missing here, and how this machine gets them.

Reads and installs through the machine's own package manager only; runs before anything of the project is installed.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Library:
    """One library: its file on Linux, its file on macOS, and the Debian package that has it."""

    linux: str
    macos: str
    debian: str


LIBRARIES = (
    Library("libgobject-2.0.so.0", "libgobject-2.0.0.dylib", "libpango-1.0-0"),  # glib comes along with Pango
    Library("libpango-1.0.so.0", "libpango-1.0.dylib", "libpango-1.0-0"),
    Library("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib", "libpangoft2-1.0-0"),
    Library("libharfbuzz.so.0", "libharfbuzz.0.dylib", "libharfbuzz0b"),
    Library("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib", "libharfbuzz-subset0"),
    Library("libfontconfig.so.1", "libfontconfig.1.dylib", "libfontconfig1"),
)


@dataclass(frozen=True)
class Manager:
    """A package manager: the command that installs, the packages that hold all the libraries, and who may run it."""

    install: tuple[str, ...]
    packages: tuple[str, ...]
    needs_root: bool = True


MANAGERS = {
    "apt-get": Manager(
        ("apt-get", "install", "-y", "--no-install-recommends"), tuple(sorted({one.debian for one in LIBRARIES}))
    ),
    "dnf": Manager(("dnf", "install", "-y"), ("pango", "harfbuzz", "fontconfig")),
    "pacman": Manager(("pacman", "-S", "--needed", "--noconfirm"), ("pango", "harfbuzz", "fontconfig")),
    "brew": Manager(("brew", "install"), ("pango", "harfbuzz", "fontconfig"), needs_root=False),
}


def opens(library: Library) -> bool:
    """Whether this machine's loader finds the library, where WeasyPrint will look for it."""
    if sys.platform == "darwin":
        return any((Path(folder) / library.macos).exists() for folder in macos_folders()) or _loads(library.macos)
    return _loads(library.linux)


def _loads(file: str) -> bool:
    try:
        ctypes.CDLL(file)
    except OSError:
        return False
    return True


def macos_folders() -> list[str]:
    """Where Homebrew puts libraries: on Apple silicon the loader does not look there by itself."""
    return ["/opt/homebrew/lib", "/usr/local/lib"]


def missing_libraries(opens: Callable[[Library], bool] = opens) -> list[Library]:
    return [library for library in LIBRARIES if not opens(library)]


def find_manager(which: Callable[[str], str | None] = shutil.which) -> str | None:
    """The name of this machine's package manager; None where there is none that we know."""
    return next((name for name in MANAGERS if which(name)), None)


def root_prefix() -> list[str] | None:
    """What to put before a command that needs root: nothing for root, sudo where it asks for no password, or None."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def install_packages(manager: str, packages: tuple[str, ...]) -> bool:
    """Installs without asking; False where that needs a person (a password) or the package manager fails."""
    chosen = MANAGERS[manager]
    prefix = root_prefix() if chosen.needs_root else []
    if prefix is None:
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "HOMEBREW_NO_AUTO_UPDATE": "1"}
    keep = ["env", "DEBIAN_FRONTEND=noninteractive"] if prefix else []
    if manager == "apt-get":
        subprocess.run([*prefix, *keep, "apt-get", "update", "-qq"], check=False, env=env)
    done = subprocess.run([*prefix, *keep, *chosen.install, *packages], check=False, env=env, stdout=subprocess.DEVNULL)
    return done.returncode == 0


def how_to_install(manager: str | None, packages: tuple[str, ...]) -> str:
    """The commands for a person to type: this machine's, or each that we know when it has none of them."""
    if manager:
        chosen = MANAGERS[manager]
        return f"  {'sudo ' if chosen.needs_root else ''}{' '.join((*chosen.install, *packages))}"
    lines = [f"  {name:8}{' '.join((*known.install, *known.packages))}" for name, known in MANAGERS.items()]
    return "\n".join(lines)


def bring_libraries(tell: Callable[[str], None]) -> str | None:
    """Installs what WeasyPrint lacks. Returns None when all is there, else what the person has to type."""
    missing = missing_libraries()
    if not missing:
        return None
    files = ", ".join(one.macos if sys.platform == "darwin" else one.linux for one in missing)
    manager = find_manager()
    chosen = MANAGERS[manager] if manager else None
    packages = chosen.packages if chosen else ()
    if manager == "apt-get":
        packages = tuple(sorted({one.debian for one in missing}))
    tell(f"WeasyPrint, which lays the letters out, needs {files}")
    if manager and install_packages(manager, packages) and not missing_libraries():
        return None
    return "Install these, then run the same command again:\n" + how_to_install(manager, packages)
