"""kill -9 for the worker, Prefect's server and the database in the middle of the work: nothing is lost or doubled.

A real server, real process workers, PostgreSQL and a vendor that keeps a log of its own, all on this machine.
"""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from outreach import supervisor
from prefect_house import House, children_of, kill_with_children, open_house, wait_until

# One Prefect server for the file: with xdist, all of it goes to one process.
pytestmark = pytest.mark.xdist_group("prefect")
LETTERS = 520


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


def wait_for_the_middle(house: House, come_from: str, come_to: str) -> None:
    """Until more messages have come to a status than before; some must be on their way yet."""
    before = house.statuses()[come_to]
    wait_until(lambda: house.statuses()[come_to] > before)
    assert house.statuses()[come_from] > 0, "it was over before it could be killed"


@pytest.mark.drill
def test_whatever_is_killed_every_message_is_written_and_sent_once(house: House) -> None:
    house.add_customers("c", LETTERS)
    worker = kill_while_preparing(house)
    house.approve_all()
    assert house.statuses() == {"approved": LETTERS}
    kill_while_delivering(house, worker)
    house.run("deliver/office-hours")
    house.run("track/hourly")
    assert house.statuses() == {"accepted": LETTERS}
    taken = house.taken_by_the_vendor()
    assert len(taken) == LETTERS
    assert set(taken.values()) == {1}, "the vendor's own log says so"


def kill_while_preparing(house: House) -> supervisor.Child:
    worker = house.start_worker()
    killed = house.trigger("prepare/daily")
    wait_for_the_middle(house, "planned", "composed")
    [run] = children_of(worker.process.pid)
    os.kill(run, signal.SIGKILL)
    assert house.wait_for(killed)["type"] == "CRASHED", "a run that dies alone is told by its worker"

    zombie = house.trigger("prepare/daily")
    wait_for_the_middle(house, "planned", "composed")
    kill_with_children(worker)
    house.mark_crashed(zombie)

    worker = house.start_worker()
    cut_off = house.trigger("prepare/daily")
    wait_for_the_middle(house, "planned", "composed")
    kill_with_children(house.server)
    house.start_server()
    house.wait_for(cut_off)
    house.run("prepare/daily")
    assert house.statuses() == {"composed": LETTERS}
    return worker


def kill_while_delivering(house: House, worker: supervisor.Child) -> None:
    zombie = house.trigger("deliver/office-hours")
    wait_for_the_middle(house, "approved", "accepted")
    kill_with_children(worker)
    house.mark_crashed(zombie)

    worker = house.start_worker()
    cut_off = house.trigger("deliver/office-hours")
    wait_for_the_middle(house, "approved", "accepted")
    house.kill_database()
    time.sleep(3)
    house.start_database()
    assert house.wait_for(cut_off)["type"] == "FAILED"
    assert house.statuses()["accepted"] < LETTERS


@pytest.mark.drill
def test_a_run_whose_machine_is_gone_is_ended_and_its_place_is_free_within_minutes(house: House) -> None:
    """Nobody marks it here but the automation; while it counts as running, another of its deployment is called off."""
    house.add_customers("z", LETTERS)
    worker = house.start_worker()
    zombie = house.trigger("prepare/daily")
    wait_for_the_middle(house, "planned", "composed")
    kill_with_children(worker)
    house.start_worker()
    called_off = house.wait_for(house.trigger("prepare/daily"))
    assert called_off["type"] == "CANCELLED"
    assert house.wait_for(zombie, patience=300)["type"] == "CRASHED"
    house.run("prepare/daily")
    assert house.statuses()["planned"] == 0


@pytest.mark.drill
def test_a_run_that_nobody_begins_is_told_late_and_waits_for_a_worker(house: House) -> None:
    house.stop_workers()
    waiting = house.trigger("deliver/office-hours")
    assert wait_until(lambda: house.state_of(waiting)["name"] == "Late")
    house.start_worker()
    assert house.wait_for(waiting)["type"] == "COMPLETED"
