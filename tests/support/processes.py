"""Processes that a test starts beside its own, to write to one database at the same time.

They are forked from a process that has imported the rooms once, and share nothing else with the test or each other.
"""

import multiprocessing

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["outreach.approval.accounts", "outreach.composing.run", "outreach.delivery.sender", "outreach.planning.run"]
)
