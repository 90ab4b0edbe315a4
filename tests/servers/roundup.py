"""A real Roundup (PyPI's roundup) on loopback, with a tracker of its own that is set up as a help desk.

    with Roundup() as roundup:
        roundup.url, roundup.secrets["robin"], roundup.as_agent("GET", "/issue/1")

Roundup refuses to run as root, so whoever is root runs a copy of it as `nobody`, with a Python that `nobody` may run. The tracker
is the classic one with rights of its own: employees see their own issues and what was said in them in public; two fields are added.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import httpx

STARTS_WITHIN_S = 60.0
NAME = "support"
RUN = "from roundup.scripts.roundup_server import run; run()"
COMPILED = shutil.ignore_patterns("__pycache__")
PEOPLE = {"robin": "Employee", "kim": "Employee", "agent": "Admin"}
SEED = r"""
import sys
from pathlib import Path
from roundup import init, instance, password

home, web, schema, template = sys.argv[1:]
settings = {
    "rdbms_backend": "sqlite",
    "tracker_web": web,
    "mail_domain": "example.com",
    "mail_host": "localhost",
    "mail_debug": str(Path(home).parent / "mail.txt"),
    "web_api_failed_login_limit": "0",
    "password_pbkdf2_default_rounds": "1000",  # it checks the password with every request; tests make thousands
}
init.install(home, template, settings=settings)
Path(home, "schema.py").write_text(Path(schema).read_text())
made = instance.open(home)
made.init(password.Password("not-used-by-any-test", config=made.config))
db = made.open("admin")
for one in sys.stdin.read().split():
    name, role, secret = one.split(":")
    db.user.create(
        username=name, realname=f"{name.title()} Example", address=f"{name}@example.com", roles=role,
        password=password.Password(secret, config=db.config),
    )
db.commit()
db.close()
"""
SCHEMA = """
def classes():
    pri = Class(db, "priority", name=String(), order=Number())
    pri.setkey("name")
    stat = Class(db, "status", name=String(), order=Number())
    stat.setkey("name")
    keyword = Class(db, "keyword", name=String())
    keyword.setkey("name")
    Class(db, "query", klass=String(), name=String(), url=String(), private_for=Link("user"))
    user = Class(
        db, "user", username=String(), password=Password(), address=String(), realname=String(), phone=String(),
        organisation=String(), alternate_addresses=String(), queries=Multilink("query"), roles=String(), timezone=String(),
    )
    user.setkey("username")
    FileClass(
        db, "msg", author=Link("user", do_journal="no"), recipients=Multilink("user", do_journal="no"), date=Date(),
        summary=String(), files=Multilink("file"), messageid=String(), inreplyto=String(), internal=Boolean(),
    )
    FileClass(db, "file", name=String())
    IssueClass(
        db, "issue", assignedto=Link("user"), keyword=Multilink("keyword"), priority=Link("priority"),
        status=Link("status"), cause=String(), device=String(),
    )


classes()


def own(db, userid, itemid):
    return db.issue.get(itemid, "creator") == userid


def told(db, userid, itemid):
    if db.msg.get(itemid, "internal"):
        return False
    return db.msg.get(itemid, "author") == userid or any(
        own(db, userid, one) for one in db.issue.find(messages={itemid: 1})
    )


def shown(db, userid, itemid):
    return db.file.get(itemid, "creator") == userid or any(
        told(db, userid, one) for one in db.msg.find(files={itemid: 1})
    )


def allow(name, klass, **limits):
    db.security.addPermissionToRole("Employee", db.security.addPermission(name=name, klass=klass, **limits))


db.security.addRole(name="Employee", description="Writes tickets")
for right in ("Web Access", "Rest Access"):
    db.security.addPermissionToRole("Employee", right)
for klass, check in (("issue", own), ("msg", told), ("file", shown)):
    allow("Create", klass)
    allow("Search", klass)
    allow("View", klass, check=check)
allow("Edit", "issue", check=own)
for klass in ("priority", "status", "keyword"):
    allow("View", klass)
allow("View", "user", properties=("id", "username", "realname"))
allow("View", "user", check=lambda db, userid, itemid: userid == itemid)
db.security.addPermissionToRole("Anonymous", "Web Access")
"""


class Roundup:
    """See the module's text. `secrets` are "NAME:PASSWORD" of robin and kim (employees) and of agent."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/{NAME}"
        self.secrets = {name: f"{name}:password-of-{name}" for name in PEOPLE}

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="deskside-roundup-"))
        (self.folder / "schema.py").write_text(SCHEMA)
        self._template = Path(sys.prefix) / "share" / "roundup" / "templates" / "classic"
        self._how: dict[str, Any] = {"cwd": self.folder}
        self._python = sys.executable
        if os.getuid() == 0:
            self._become_nobody()
        home = self.folder / NAME
        try:
            self._seed(home)
            self._log = (self.folder / "server.log").open("wb")
            self.restart()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if process := getattr(self, "_process", None):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
            self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """Ends the server as a power cut would."""
        self._process.kill()
        self._process.wait(10)

    def restart(self) -> None:
        """Starts the server, which does not run (any more), and waits until it answers."""
        tracker = f"{NAME}={self.folder / NAME}"
        self._process = subprocess.Popen(
            [self._python, "-B", "-c", RUN, "-t", "thread", "-n", "127.0.0.1", "-p", str(self.port), tracker],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            **self._how,
        )
        self._wait()

    def as_agent(self, method: str, path: str, **query: Any) -> Any:
        """Asks as an agent, past the adapter; gives the answer's data."""
        found = self.ask_as_agent(method, f"/rest/data{path}", **query)
        return found.json()["data"]

    def ask_as_agent(self, method: str, path: str, **query: Any) -> httpx.Response:
        """As `as_agent`, below the tracker's address."""
        name, _, password = self.secrets["agent"].partition(":")
        origin = self.url.removesuffix(f"/{NAME}")
        headers = {"Origin": origin, "Referer": f"{self.url}/", "X-Requested-With": "rest", **query.pop("headers", {})}
        found = httpx.request(
            method, self.url + path, auth=(name, password), headers=headers, timeout=30, trust_env=False, **query
        )
        assert found.status_code < 400, found.text
        return found

    def _become_nobody(self) -> None:
        package = importlib.util.find_spec("roundup")
        assert package is not None
        assert package.origin is not None
        shutil.copytree(Path(package.origin).parent, self.folder / "lib" / "roundup", ignore=COMPILED)
        self._template = Path(shutil.copytree(self._template, self.folder / "template", ignore=COMPILED))
        shutil.chown(self.folder, "nobody")
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "lib"), "HOME": str(self.folder)}
        self._how |= {"user": "nobody", "extra_groups": (), "env": environment}
        for one in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
            with contextlib.suppress(OSError):
                done = subprocess.run(
                    [one, "-c", "import sqlite3, roundup"], check=False, capture_output=True, **self._how
                )
                if done.returncode == 0:
                    self._python = one
                    return
        raise AssertionError("Roundup does not run as root, and there is no Python that the user nobody may run.")

    def _seed(self, home: Path) -> None:
        people = "\n".join(f"{name}:{PEOPLE[name]}:{self.secrets[name].partition(':')[2]}" for name in PEOPLE)
        done = subprocess.run(
            [self._python, "-B", "-c", SEED, home, f"{self.url}/", self.folder / "schema.py", self._template],
            input=people,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **self._how,
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]} {done.stderr[-2000:]}"

    def _wait(self) -> None:
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until:
            assert self._process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
            try:
                self.as_agent("GET", "/issue")
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("Roundup did not start in time")
