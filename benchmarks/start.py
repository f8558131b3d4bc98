"""How long `outreach --help` and `outreach status` take to start, beside the imports that they cannot do without.

    .venv/bin/python benchmarks/start.py [--rounds 9]

It prints medians in milliseconds and two ratios: `--help` to `import typer`, and `status` to `import sqlmodel`. The
processor's time is measured, not the clock's, so that another job on the machine changes little.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

PROGRAM = "from outreach.commands.main import main; main()"
RUNS = {
    "import typer": ["-c", "import typer"],
    "outreach --help": ["-c", PROGRAM, "--help"],
    "import sqlmodel": ["-c", "import sqlmodel"],
    "outreach status": ["-c", PROGRAM, "status"],
}


def spent(arguments: list[str], folder: str) -> float:
    """Milliseconds of processor time that one process took."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return 1000 * (after.children_user + after.children_system - before.children_user - before.children_system)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", PROGRAM, "init"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        turns = [{name: spent(run, folder) for name, run in RUNS.items()} for _ in range(rounds)]
    medians = {name: statistics.median(turn[name] for turn in turns) for name in RUNS}
    for name, median in medians.items():
        print(f"{name:16} {median:6.0f} ms")
    print(f"--help is {medians['outreach --help'] / medians['import typer']:.2f}× import typer")
    print(f"status is {medians['outreach status'] / medians['import sqlmodel']:.2f}× import sqlmodel")


if __name__ == "__main__":
    main()
