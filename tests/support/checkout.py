"""The folder of this checkout, which is also the example of an installation."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
