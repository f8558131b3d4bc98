"""Sets the project up in ./.venv: the native libraries, the pinned and hashed packages, the project itself.

Run by setup/start.sh with any Python from 3.11 on and nothing else installed; does nothing when all is as it was.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from libraries import bring_libraries, install_packages, macos_folders

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "ready"
LOG = VENV / "setup.log"
LOCK = ROOT / "requirements.lock"
# Settings of a person's own pip that fail inside a virtual environment or install somewhere else.
FOREIGN = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_CONSTRAINT", "PIP_REQUIREMENT", "PIP_DRY_RUN", "PIP_NO_DEPS",
           "PIP_REQUIRE_HASHES", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")  # fmt: skip


class SetupStopped(Exception):
    """Set-up cannot go on; the text says what the person has to do."""


def tell(line: str) -> None:
    print(line, flush=True)


def state_now() -> str:
    """What the set-up depends on, in one line: another place, Python, lock, project file or set-up makes it differ."""
    parts = [str(ROOT).encode()]
    parts += [(ROOT / name).read_bytes() for name in ("requirements.lock", "pyproject.toml", "setup/install.py")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest() + f" {ROOT}"


def is_ready() -> bool:
    return PYTHON.exists() and STAMP.is_file() and STAMP.read_text() == state_now()


def bring_venv_module() -> None:
    """Debian and Ubuntu keep `venv` in a package of its own, and Python without it cannot make an environment."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    tell(f"This Python cannot make a virtual environment: installing {package}")
    if shutil.which("apt-get") and install_packages("apt-get", (package,)):
        return
    raise SetupStopped(f"Install it, then run the same command again:\n  sudo apt-get install {package}")


def make_environment() -> None:
    """A virtual environment at ./.venv, made anew where the one there is broken or was made in another folder."""
    moved = STAMP.is_file() and not STAMP.read_text().endswith(f" {ROOT}")
    STAMP.unlink(missing_ok=True)
    if not moved and works([str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]):
        return
    tell(f"Making a virtual environment with Python {sys.version.split()[0]} in .venv")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False, env=environment())
    if made.returncode:
        raise SetupStopped("The virtual environment could not be made; the lines above say why.")


def works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, env=environment()).returncode == 0
    except OSError:
        return False


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return {**kept, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def install_requirements() -> None:
    wanted = sum("==" in line and not line.startswith((" ", "#")) for line in LOCK.read_text().splitlines())
    tell(f"Installing {wanted} pinned packages (a few minutes the first time)")
    # The lock is complete. Were pip to resolve it again, it would look for extras in newer versions, and find no hash.
    pip(["install", "--no-compile", "--no-deps", "--require-hashes", "-r", str(LOCK)], wanted)
    # Without isolation, setuptools comes from the lock and not, unpinned, from an index.
    pip(["install", "--no-compile", "--no-deps", "--no-build-isolation", "-e", str(ROOT)], 0)
    pip(["check"], 0)


def pip(arguments: list[str], wanted: int) -> None:
    """Runs pip with its words going to the log; raises SetupStopped with the last of them when it fails."""
    command = [str(PYTHON), "-m", "pip", *arguments]
    with LOG.open("a") as log, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    ) as running:  # fmt: skip
        seen, last = 0, time.monotonic()
        for line in running.stdout or ():
            log.write(line)
            seen += line.startswith(("Collecting ", "Requirement already satisfied"))
            if wanted and time.monotonic() - last > 5:
                last = time.monotonic()
                tell(f"  {min(seen, wanted)} of {wanted}" if seen < wanted else "  unpacking")
    if running.returncode:
        said = "".join(LOG.read_text().splitlines(keepends=True)[-25:])
        raise SetupStopped(f"{said}\npip could not install the packages (above: its last words; all: {LOG}).")


def compile_modules() -> None:
    """Compiled modules make every later start several seconds shorter; files that do not compile are nobody's loss."""
    tell("Compiling")
    folders = [str(VENV / "lib"), str(ROOT / "outreach"), str(ROOT / "flows")]
    subprocess.run([str(PYTHON), "-m", "compileall", "-qq", "-j", "0", *folders], check=False, env=environment())


def point_to_homebrew() -> None:
    """On macOS, lets every Python of the environment find Homebrew's libraries, however it is started.

    The system removes DYLD_… variables whenever a shell or make is in between; ctypes reads them from os.environ.
    """
    [site] = (VENV / "lib").glob("python*/site-packages")
    folders = ":".join([*macos_folders(), "/usr/lib"])
    line = f"import os; os.environ.setdefault('DYLD_FALLBACK_LIBRARY_PATH', {folders!r})\n"
    (site / "homebrew_libraries.pth").write_text(line)


def set_up() -> None:
    bring_venv_module()
    if advice := bring_libraries(tell):
        raise SetupStopped(advice)
    make_environment()
    install_requirements()
    if sys.platform == "darwin":
        point_to_homebrew()
    compile_modules()
    if not works([str(PYTHON), "-W", "error", "-c", "import weasyprint.text.ffi"]):
        raise SetupStopped("WeasyPrint does not start: .venv/bin/python -c 'import weasyprint' says why.")
    STAMP.write_text(state_now())
    tell("Set up.")


def main() -> int:
    if is_ready():
        return 0
    # Two commands started at once must not install into one environment together.
    fcntl.flock(os.open(ROOT, os.O_RDONLY), fcntl.LOCK_EX)
    try:
        if not is_ready():
            set_up()
    except SetupStopped as stopped:
        print(f"\nSet-up stopped. {stopped}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
