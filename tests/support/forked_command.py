"""The command `outreach` for tests that call it many times: forked from a process that has imported the program once.

What a command does is what the real one does, in a process of its own with its own folder, surroundings and output.
Only the second of processor time that Python needs to import the program is not spent again at every call. Tests of how
a command starts, or of one that is killed, start the real one.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

# What nearly every command comes to import, however late.
IMPORTED = (
    "outreach.commands.approval", "outreach.commands.intake", "outreach.commands.planning", "outreach.commands.send",
    "outreach.commands.staff", "outreach.commands.status", "outreach.composing.paper.letters", "outreach.composing.run",
    "outreach.delivery.sender", "outreach.planning.run", "outreach.intake.run",
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
    address = folder / "calls"
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


def serve(listener: socket.socket) -> None:
    """Answers calls, each in a process of its own, until it is terminated."""
    from outreach.commands.main import main

    for name in IMPORTED:
        import_module(name)
    gc.freeze()  # else each child copies all that was imported, only to look through it for rubbish
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who tell how a command ended
    while True:
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(caller, main)
        caller.close()


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
        main()
    _, status = os.waitpid(command, 0)
    caller.sendall((os.waitstatus_to_exitcode(status) & 255).to_bytes(4, "big"))
    os._exit(0)


def _read(caller: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        parts += caller.recv(size - len(parts))
    return bytes(parts)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
