"""Installs, uses, upgrades, refuses to downgrade and purges the deb in a clean Debian root, as an ordinary user with a display.

    python installers/linux/try_deb.py OLD NEW [--root FOLDER] [--picture FILE]

OLD and NEW are folders with both packages of one version each. Needs root, debootstrap, Xvfb, xdotool and imagemagick. FOLDER keeps
the clean root for the next time. Says what it saw; ends with 1 at the first thing that is not as it must be.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SUITE: Final = "bookworm"
USER: Final = "anna"
KEPT: Final = "Kept over the upgrade"
START_S: Final = 20.0
WAITS: Final = 4  # the exit code of what is kept for later
_KEPT: Final = ("/var/log", "/var/cache", "/var/lib/dpkg", "/var/lib/apt", "/tmp", "/proc", "/dev", "/run", "/home")  # noqa: S108 -- of the root


class Root:
    """A Debian in a folder. `run` is root's, `use` the employee's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
        }
        done = subprocess.run(
            ["chroot", str(self.folder), *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if code is not None and done.returncode != code:
            sys.exit(
                f"{' '.join(words)}: exit code {done.returncode}, not {code}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return done

    def use(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        return self.run("setpriv", "--reuid", USER, "--regid", USER, "--init-groups", "--reset-env", *words, code=code)

    def files(self) -> set[str]:
        """Every file but logs, package lists, homes and what the kernel shows."""
        found = set()
        for folder, folders, names in os.walk(self.folder):
            here = "/" + str(Path(folder).relative_to(self.folder)).removeprefix(".")
            if here.startswith(_KEPT):
                folders.clear()
                continue
            found |= {f"{here.rstrip('/')}/{name}" for name in (*names, *folders)}
        return found


def make_clean(folder: Path) -> None:
    if not (folder / "usr/bin/dpkg").exists():
        print("Making a clean Debian root.", flush=True)
        subprocess.run(["debootstrap", "--variant=minbase", SUITE, str(folder)], check=True, stdout=subprocess.DEVNULL)
    for name in ("resolv.conf", "hosts"):
        with contextlib.suppress(OSError):
            shutil.copy(f"/etc/{name}", folder / "etc" / name)


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[Root]:
    """A throw-away layer over the clean root, with /proc, /dev and the sockets of X."""
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", work], check=True)
        place = Path(work)
        for name in ("upper", "layer", "root"):
            (place / name).mkdir()
        options = f"lowerdir={folder},upperdir={place}/upper,workdir={place}/layer"
        root = place / "root"
        mounts = [["-t", "overlay", "overlay", "-o", options, str(root)]]
        mounts += [["-t", "proc", "proc", f"{root}/proc"], ["--rbind", "/dev", f"{root}/dev"]]
        mounts += [["--bind", "/tmp/.X11-unix", f"{root}/tmp/.X11-unix"]]  # noqa: S108 -- where X has its sockets
        try:
            for one in mounts:
                Path(one[-1]).mkdir(exist_ok=True)
                subprocess.run(["mount", *one], check=True)
            subprocess.run(["mount", "--make-rslave", f"{root}/dev"], check=True)
            yield Root(root)
        finally:
            subprocess.run(["umount", "-R", "-l", str(root)], check=False)
            subprocess.run(["umount", "-l", work], check=False)


@contextlib.contextmanager
def display() -> Iterator[str]:
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-ac"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            yield f":{said.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def install(root: Root, folder: Path, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    for old in (root.folder / "tmp").glob("*.deb"):
        old.unlink()
    names = [f"/tmp/{Path(shutil.copy(one, root.folder / 'tmp')).name}" for one in sorted(folder.glob("*.deb"))]  # noqa: S108 -- the root's
    return root.run(
        "apt-get", "-qq", "-y", "--no-install-recommends", "--allow-downgrades", "install", *names, code=code
    )


def see(text: str) -> None:
    print(f"  {text}", flush=True)


def expect(*, that: bool, otherwise: str) -> None:
    if not that:
        sys.exit(f"NOT as it must be: {otherwise}")


def window(root: Root, picture: Path | None) -> None:
    with display() as name:
        command = [
            "chroot",
            str(root.folder),
            "setpriv",
            "--reuid",
            USER,
            "--regid",
            USER,
            "--init-groups",
            "--reset-env",
        ]
        command += ["env", f"DISPLAY={name}", "XDG_RUNTIME_DIR=/home/anna/run", "/usr/bin/deskside", "open"]
        began = time.monotonic()
        program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            find = ["xdotool", "search", "--onlyvisible", "--name", "Deskside"]
            while subprocess.run(
                find, env={**os.environ, "DISPLAY": name}, capture_output=True, check=False
            ).returncode:
                late = time.monotonic() - began > START_S or program.poll() is not None
                expect(
                    that=not late,
                    otherwise=f"no window: {program.stderr.read() if program.poll() is not None and program.stderr else ''}",
                )
                time.sleep(0.05)
            see(f"the window was there after {time.monotonic() - began:.2f} s")
            if picture is not None:
                time.sleep(2)  # what is drawn after the window is there
                subprocess.run(["import", "-display", name, "-window", "root", str(picture)], check=True)
        finally:
            program.terminate()
            expect(that=program.wait(timeout=20) == 0, otherwise="the program did not end in good order")


def use_it(root: Root, version: str, picture: Path | None) -> None:
    said = root.use("deskside", "--version").stdout.strip()
    expect(that=said == f"deskside {version}", otherwise=f"--version says {said!r}")
    done = root.use("deskside", "check", "--json", code=None)
    report = json.loads(done.stdout)
    expect(that=done.returncode in {0, 1} and report["schema"] == 1, otherwise=f"check ended with {done.returncode}")
    see(f"check: {len(report['findings'])} findings in {report['duration_ms']} ms, exit code {done.returncode}")
    parts = {
        one["name"]: one for one in json.loads(root.use("deskside", "doctor", "--json", code=None).stdout)["parts"]
    }
    for name in ("program", "folders", "settings", "policy", "outbox", "articles"):
        expect(that=parts[name]["health"] != "unwell", otherwise=f"the doctor says {parts[name]}")
    see("; ".join(f"{name}: {one['health']}" for name, one in parts.items()))
    found = json.loads(root.use("deskside", "search", "printer does not print", "--json").stdout)
    expect(that=found["results"][0]["article"] == "printer", otherwise=f"search says {found}")
    window(root, picture)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--root", type=Path, default=Path("build/debian-root"))
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    old, new = (
        next(one.glob("deskside_*.deb")).name.split("_")[1].removesuffix("-1") for one in (options.old, options.new)
    )
    make_clean(options.root.resolve())
    with mounted(options.root.resolve()) as root:
        walk(root, options, old, new)
    print("The deb is well.")


def walk(root: Root, options: argparse.Namespace, old: str, new: str) -> None:
    root.run("useradd", "--create-home", USER)
    root.use("mkdir", "-m", "700", f"/home/{USER}/run")
    root.run("apt-get", "-qq", "update")
    question = ["dpkg-deb", "-f", str(next(options.old.glob("deskside_*.deb"))), "Depends"]
    needed = subprocess.run(question, capture_output=True, text=True, check=True).stdout
    names = [one.split("|")[0].split("(")[0].strip() for one in needed.split(",")]
    root.run("apt-get", "-qq", "-y", "--no-install-recommends", "install", *names, "fonts-dejavu-core")
    before = root.files()
    print(f"Installing {old}.")
    install(root, options.old)
    use_it(root, old, None)
    keep(root)
    print(f"Upgrading to {new}.")
    install(root, options.new)
    use_it(root, new, options.picture)
    expect(that=kept(root), otherwise="the ticket that waited is gone after the upgrade")
    print(f"Asking for {old} again.")
    refused = install(root, options.old, code=100)
    sentence = f"Deskside {new} is installed, and {old} is older."
    expect(that=sentence in refused.stdout + refused.stderr, otherwise=f"no sentence: {refused.stderr}")
    expect(
        that=root.use("deskside", "--version").stdout.split()[-1] == new,
        otherwise="the refusal broke what is installed",
    )
    see("refused with a sentence, and what is installed still runs")
    print("Purging.")
    (root.folder / "etc/deskside/policy.d/company.toml").write_text('[desk]\nkind = "employee"\n')
    root.run("apt-get", "-qq", "-y", "purge", "deskside", "deskside-meaning")
    left = {one for one in root.files() - before if "__pycache__" not in one}
    expected = {"/etc/deskside", "/etc/deskside/policy.d", "/etc/deskside/policy.d/company.toml"}
    expect(that=left == expected, otherwise=f"left behind: {sorted(left ^ expected)[:20]}")
    gone = before - root.files() - {"/opt"}  # dpkg takes an empty one away, whoever's package was the last in it
    expect(that=not gone, otherwise=f"taken away: {sorted(gone)[:20]}")
    see("nothing is left but the policy that an administrator had put there; the employee's own folders stay")


def keep(root: Root) -> None:
    """A ticket that waits, because there is no help desk."""
    done = root.use(
        "deskside", "ticket", "create", "--yes", "--no-check", "--subject", KEPT, "--words", "Keep me.", code=None
    )
    expect(
        that=done.returncode == WAITS,
        otherwise=f"the ticket was not kept: {done.returncode} {done.stdout}{done.stderr}",
    )
    see("a ticket waits")


def kept(root: Root) -> bool:
    return KEPT in root.use("deskside", "outbox", "list", code=WAITS).stdout


if __name__ == "__main__":
    main()
