"""PostgreSQL: a server of our own in a temporary folder, reached by a unix socket, and one connection to it."""

import atexit
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from decimal import Decimal

import psycopg

from ..answers import BOOLEAN, DOUBLE, LIST, NUMBER, OTHER, STRUCT, TEXT, TIME, Refused, Rows, double, moment, number
from ..world import PAIR

KINDS = {
    16: BOOLEAN, 20: NUMBER, 21: NUMBER, 23: NUMBER, 1700: NUMBER, 700: DOUBLE, 701: DOUBLE, 25: TEXT, 1043: TEXT, 1042: TEXT,
    705: TEXT, 1082: TIME, 1114: TIME, 1016: LIST, 1007: LIST,
}
TIMEOUT = "3s"


def program(name):
    """Debian keeps the server's programs out of the path."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found[-1] if found else shutil.which(name)


class Postgres:
    name = "postgres"

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lakesh-postgres-")
        self.user = self._user()
        atexit.register(self.stop)
        data = os.path.join(self.folder, "data")
        self._run(program("initdb"), "-D", data, "-A", "trust", "-U", "tester", "--locale=C", "-E", "UTF8", "-N")
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off", "max_connections": "5", "shared_buffers": "32MB", "jit": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.server = subprocess.Popen([program("postgres"), "-D", data, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.user)
        self.connection = self._connect()

    def _user(self):
        """The server refuses to run as root; Debian's package made a user for it."""
        if os.geteuid() != 0:
            return {}
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            user = pwd.getpwnam("nobody")
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _run(self, *command):
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self.user)

    def _connect(self):
        for attempt in range(100):
            try:
                connection = psycopg.connect(host=self.folder, user="tester", dbname="postgres", autocommit=True, prepare_threshold=None)
                break
            except psycopg.OperationalError:
                time.sleep(0.1)
        else:
            raise RuntimeError("PostgreSQL does not start")
        connection.execute(f"SET statement_timeout = '{TIMEOUT}'; SET timezone = 'UTC'; SET client_min_messages = error")
        connection.execute(f"CREATE TYPE {PAIR} AS (a BIGINT, b VARCHAR)")
        self.pair = connection.execute(f"SELECT '{PAIR}'::regtype::oid").fetchone()[0]
        return connection

    def stop(self):
        server = getattr(self, "server", None)
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGINT)  # Ends sessions, too; SIGTERM waits for them.
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def set_zone(self, zone):
        self.connection.execute(f"SET timezone = '{zone}'")

    def load(self, tables):
        for table in tables:
            self.connection.execute(f"DROP TABLE IF EXISTS {table.name}")
            self.connection.execute(f"CREATE TABLE {table.name} ({table.definition(self.name)})")
            if table.rows:
                self.connection.execute(f"INSERT INTO {table.name} {table.select(self.name)}")

    def ask(self, sql):
        try:
            cursor = self.connection.execute(sql)
            return self._rows(cursor.pgresult)
        except psycopg.Error as error:
            return Refused(str(error).split("\n")[0])

    def change(self, sql, target):
        """The rows of a table after a change, which is taken back."""
        self.connection.execute("BEGIN")
        try:
            self.connection.execute(sql)
            return self._rows(self.connection.execute(f"SELECT * FROM {target}").pgresult)
        except psycopg.Error as error:
            return Refused(str(error).split("\n")[0])
        finally:
            self.connection.execute("ROLLBACK")

    def _rows(self, result):
        columns = range(result.nfields)
        kinds = tuple(STRUCT if result.ftype(column) == self.pair else KINDS.get(result.ftype(column), OTHER) for column in columns)
        rows = [tuple(value(result.get_value(row, column), kinds[column]) for column in columns) for row in range(result.ntuples)]
        names = [result.fname(column).decode() for column in columns]
        return Rows(rows, kinds, names)


def value(raw, kind):
    if raw is None:
        return None
    text = raw.decode()
    if kind == BOOLEAN:
        return ("b", text == "t")
    if kind == NUMBER:
        return number(Decimal(text))
    if kind == DOUBLE:
        return double(text)
    if kind == TIME:
        return moment(text)
    if kind == LIST:
        items = text[1:-1].split(",") if text != "{}" else []
        return tuple(None if item == "NULL" else number(Decimal(item)) for item in items)
    if kind == STRUCT:
        first, second = text[1:-1].split(",", 1)
        return (number(Decimal(first)) if first else None, None if second == "" else second.strip('"'))
    return text
