"""Run a PostgreSQL server for tests, on a free loopback port and in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers import free_port

PASSWORD = "it's p@ss: %20/word"  # fails to log in if quoted or decoded wrongly
_INSTALLED = Path("/usr/lib/postgresql")  # on Debian, one folder per version
_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=40",
            "TimeZone=Asia/Kathmandu")  # fmt: skip


@dataclass(frozen=True)
class PostgresServer:
    """A running server; its owner is a superuser who logs in with `PASSWORD`."""

    port: int

    def settings(self, database: str, user: str = "owner", password: str = PASSWORD) -> dict:
        """The environment variables for a database on this server."""
        return {
            "WAREHOUSE_TARGET": "postgres",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": user,
            "PGPASSWORD": password,
            "PGDATABASE": database,
        }

    def execute(self, statement: str, database: str = "postgres", **login: str) -> list[tuple]:
        """Run one statement and return its rows."""
        import psycopg2

        settings = self.settings(database, **login)
        connection = psycopg2.connect(
            host=settings["PGHOST"],
            port=self.port,
            user=settings["PGUSER"],
            password=settings["PGPASSWORD"],
            dbname=database,
            options="-c TimeZone=UTC",
        )
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def create_database(self, name: str) -> dict:
        """Create a database and return its settings."""
        self.execute(f'create database "{name}"')
        return self.settings(name)


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Create a server, run it, and remove it.

    As PostgreSQL refuses to run as root, root runs it as the user of Debian's package.
    """
    # The name is short, because the path of a socket is limited.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    password_file = folder / "password"
    password_file.write_text(PASSWORD + "\n")
    password_file.chmod(0o644)
    data = folder / "data"
    port = free_port()
    options = f"-p {port} -h 127.0.0.1 -k {folder}" + "".join(f" -c {each}" for each in _OPTIONS)
    try:
        _run(user, "initdb", "-D", data, "-U", "owner", "--auth=scram-sha-256", "-E", "UTF8",
             "--locale=C.UTF-8", f"--pwfile={password_file}")  # fmt: skip
        _run(user, "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield PostgresServer(port)
        finally:
            _run(user, "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _run(user: str | None, program: str, *arguments: object) -> None:
    done = subprocess.run(
        [_folder_of_programs() / program, *map(str, arguments)],
        stdout=subprocess.DEVNULL,  # not a pipe, which the server would keep open
        stderr=subprocess.DEVNULL,
        user=user,
        cwd="/",
    )
    assert done.returncode == 0, f"{program} {arguments} ended with {done.returncode}"


def _folder_of_programs() -> Path:
    """The folder with the programs of the newest installed server, version 15 or later."""
    on_path = shutil.which("initdb")
    versions = [int(each.name) for each in _INSTALLED.glob("*") if each.name.isdigit()]
    if versions and max(versions) >= 15:
        return _INSTALLED / str(max(versions)) / "bin"
    assert on_path, "PostgreSQL 15 or later is required: apt-get install postgresql"
    return Path(on_path).parent
