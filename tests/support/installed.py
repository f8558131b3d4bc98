"""The program as others get it: built as a wheel and installed into an environment of its own, far from the checkout.

The packages that it needs are those of the tests: they are found behind it, and nothing of the checkout is.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

from checkout import PROJECT

PARTS = ("outreach", "flows", "templates", "outreach.toml", "prefect.yaml", "pyproject.toml", "README.md", "LICENSE")


def install_wheel(folder: Path) -> Path:
    """Builds and installs the wheel in `folder`, and returns the command `outreach` of that environment."""
    environment = folder / "environment"
    venv.create(environment)
    python = environment / "bin" / "python"
    _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder / "wheel", _copy(folder / "source"))
    _pip("--python", python, "install", "--no-deps", "--no-index", *(folder / "wheel").glob("*.whl"))
    # A line with a path adds that folder behind the environment's own; what lies in it as .pth, such as the checkout's
    # editable installation, is not followed.
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "packages_of_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin" / "outreach"


def _copy(source: Path) -> Path:
    """A copy of what the wheel is made from, so that its making leaves nothing in the checkout."""
    source.mkdir(parents=True)
    for name in PARTS:
        path = PROJECT / name
        if path.is_dir():
            shutil.copytree(path, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(path, source / name)
    return source


def _pip(*words: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, words)],
        capture_output=True, text=True, check=False, env={**own_environment(), "PIP_NO_INPUT": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def own_environment() -> dict[str, str]:
    """The environment of these tests without what points to the checkout, to its Prefect or to settings."""
    foreign = ("PREFECT_", "OUTREACH_", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
