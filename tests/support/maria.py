"""A MariaDB server of this test process's own, from Debian's package, on loopback; tests skip loudly without it."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from ports import free_port

PROGRAMS = ("mariadbd", "mariadb-install-db")


def find_program(name: str) -> str:
    """Where a program of the server is; Debian keeps the server's own out of the path of users."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if found is None:
        pytest.skip(
            f"{name} is not here (Debian: mariadb-server): reading MySQL and MariaDB is NOT checked in this run"
        )
    return found


class Maria:
    """A running server, and how to reach it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, database: str, scheme: str = "mysql") -> str:
        return f"{scheme}://reader:seven%20seas@127.0.0.1:{self.port}/{database}"

    def run(self, database: str, *statements: str) -> None:
        """Runs statements in a database, which is made where it is not there."""
        with pymysql.connect(host="127.0.0.1", port=self.port, user="owner", password="owner") as connection:
            cursor = connection.cursor()
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4")
            cursor.execute(f"USE {database}")
            # As dumps are made: Open Dental writes 0000-00-00 and 0001-01-01.
            cursor.execute("SET sql_mode = ''")
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def ask(self, database: str, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, asked as the owner."""
        with pymysql.connect(
            host="127.0.0.1", port=self.port, user="owner", password="owner", database=database
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            return list(cursor.fetchall())

    def load(self, database: str, dump: Path) -> None:
        """Loads a dump as mysqldump writes it."""
        self.run(database)
        command = [
            find_program("mariadb"),
            "--host=127.0.0.1",
            f"--port={self.port}",
            "--user=owner",
            "--password=owner",
        ]
        with dump.open("rb") as file:
            subprocess.run([*command, "--default-character-set=utf8mb4", database], stdin=file, check=True)


def start_maria(folder: Path) -> Iterator[Maria]:
    """A server with its files in `folder`, until the generator is closed."""
    server, install = (find_program(name) for name in PROGRAMS)
    # Root of a machine that runs the tests as root: the server refuses to run as root without being told.
    common = [f"--datadir={folder / 'data'}", "--user=root"]
    subprocess.run([install, "--no-defaults", "--auth-root-authentication-method=normal", *common], check=True,
                   capture_output=True)  # fmt: skip
    init, port = folder / "init.sql", free_port()
    init.write_text(
        # By address: a new server has users without a name, and they would come first at localhost.
        "CREATE USER owner@127.0.0.1 IDENTIFIED BY 'owner';\nGRANT ALL ON *.* TO owner@127.0.0.1;\n"
        "CREATE USER reader@127.0.0.1 IDENTIFIED BY 'seven seas';\nGRANT ALL ON *.* TO reader@127.0.0.1;\n"
    )
    options = [f"--port={port}", f"--socket={folder / 'maria.sock'}", "--bind-address=127.0.0.1", f"--init-file={init}",
               "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--skip-name-resolve"]  # fmt: skip
    running = subprocess.Popen([server, "--no-defaults", *common, *options], stderr=subprocess.DEVNULL)
    try:
        _wait(running, port)
        yield Maria(port)
    finally:
        running.terminate()
        running.wait()


def _wait(running: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(600):
        if running.poll() is not None:
            raise RuntimeError("mariadbd ended at once")
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="owner", password="owner").close()
        except pymysql.err.OperationalError as error:
            # 2003: nobody listens yet.
            if error.args[0] != 2003:
                raise
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("mariadbd did not open its port")
