"""Proof on anyone's machine: senders are killed at random, and the vendors' own logs show one send of each message."""

from outreach.drill.drill import DrillResult, run_drill
from outreach.drill.options import DrillOptions
from outreach.drill.show import show_drill

__all__ = ["DrillOptions", "DrillResult", "run_drill", "show_drill"]
