"""Processes that a test starts beside its own, to write to one database at the same time.

They are forked from a process that has read what they need (preloaded.py), and share nothing else with the test or each
other. Where pytest was not started in the project's folder, it has read nothing, and all is only slower.
"""

import multiprocessing

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.support.preloaded"])
