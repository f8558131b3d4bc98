"""The command `outreach` for tests that call it many times: forked from a process that has imported the program once.

What a command does is what the real one does, in a process of its own with its own folder, surroundings and output.
Only the seconds that it takes to import the program, to open pens, fonts and templates and to compile statements are
not spent again at every call: the process has done a day's work of another practice before. To kill a call kills the
command. Tests of how a command starts, start the real one.
"""

import atexit
import gc
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stdout, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from csv_practice import write_practice

# What nearly every command comes to import, however late.
IMPORTED = (
    "outreach.commands.approval", "outreach.commands.intake", "outreach.commands.planning", "outreach.commands.send",
    "outreach.commands.staff", "outreach.commands.status", "outreach.composing.paper.letters", "outreach.composing.run",
    "outreach.delivery.sender", "outreach.planning.run", "outreach.intake.run", "outreach.commands.doctor",
    "outreach.commands.preview", "outreach.delivery.providers",
)  # fmt: skip
DAY = (
    ["import", "data"], ["prepare"], ["why", "c1"], ["batches"], ["staff", "add", "maria"],
    ["approve", "2026-03-10-anniversary-letter", "--by", "maria"], ["deliver"], ["track"], ["status"],
)  # fmt: skip
# Started anew at every call, so it imports as little as it can.
CLIENT = """#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(call).to_bytes(8, "big")], [0, 1, 2])
server.sendall(call)
status = server.recv(4)
sys.exit(int.from_bytes(status, "big") if status else 1)
"""


@contextmanager
def forked_command(folder: Path, surroundings: Mapping[str, str]) -> Iterator[Path]:
    """An executable file in `folder` that does as `outreach` does, while the block lasts.

    It is imported in `surroundings`; whatever is read later, is read in those of each call.
    """
    # Not below the folder of the test: a socket's address has at most 107 letters.
    address = Path(tempfile.mkdtemp(prefix="call-")) / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(64)
        words = [sys.executable, __file__, str(listener.fileno())]
        server = subprocess.Popen(words, pass_fds=[listener.fileno()], env=surroundings)
    command = folder / "outreach"
    command.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    command.chmod(0o755)
    try:
        yield command
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(address.parent)


@contextmanager
def changed_program(folder: Path) -> Iterator[Callable[..., str]]:
    """Calls the copy of the program in `folder`, which a test has changed, at one instant; a call must not fail."""
    (folder / "called").mkdir()
    # The copy of the program comes before the program itself.
    known = {**os.environ, "PYTHONPATH": str(folder)}
    with forked_command(folder / "called", known) as command:

        def outreach(*words: str) -> str:
            called = [command, *words, "--now", "2026-03-10T15:00Z"]
            done = subprocess.run(called, cwd=folder, env=known, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        yield outreach


def serve(listener: socket.socket) -> None:
    """Answers calls, each in a process of its own, until it is terminated."""
    from outreach.commands.main import main

    for name in IMPORTED:
        import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        _live_through_a_day(Path(folder), main)
    gc.freeze()  # else each child copies all that was imported, only to look through it for rubbish
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who tell how a command ended
    while True:
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(caller, main)
        caller.close()


def _live_through_a_day(folder: Path, main: Any) -> None:
    from compiled_once import CompiledOnce
    from outreach import database

    # Each command opens an engine, which would compile every statement anew.
    database.create_engine = partial(database.create_engine, execution_options={"compiled_cache": CompiledOnce()})
    write_practice(folder)
    surroundings, os.environ["OUTREACH_NOW"] = dict(os.environ), "2026-03-10T15:00Z"
    with chdir(folder), Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        for words in DAY:
            sys.argv = ["outreach", *words]
            status = _status_of(main)
            assert status == 0, f"{words}: {status}"
    os.environ.clear()
    os.environ.update(surroundings)
    assert threading.active_count() == 1, "a child would wait for ever for what another thread held"


def _answer(caller: socket.socket, main: Any) -> None:
    """Runs one command in a child, and tells the caller how it ended."""
    size, files, *_ = socket.recv_fds(caller, 8, 3)
    arguments, folder, environment = json.loads(_read(caller, int.from_bytes(size, "big")))
    command = os.fork()
    if command == 0:
        caller.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["outreach", *arguments]
        status = _status_of(main)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        # At its own end Python would take apart all that was imported, which takes longer than most commands.
        os._exit(status)
    ended = os.pidfd_open(command)
    if ended not in select.select([ended, caller], [], [])[0]:
        os.kill(command, signal.SIGKILL)  # for the caller, who says nothing more as long as it lives, is dead
    _, status = os.waitpid(command, 0)
    with suppress(BrokenPipeError):
        caller.sendall((os.waitstatus_to_exitcode(status) & 255).to_bytes(4, "big"))
    os._exit(0)


def _status_of(main: Any) -> int:
    """How the command ends, with what Python itself says of that."""
    try:
        main()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    else:
        return 0
    return 1


def _read(caller: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        parts += caller.recv(size - len(parts))
    return bytes(parts)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
