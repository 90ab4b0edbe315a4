"""Fix with proof, for real: a full disk, the real checks, the fix, and the same checks saying that it is well."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from client.fixes import execute

ROOT = Path(execute.__file__).parents[2]

FULL_DISK = """
import asyncio, json, os, sys
from pathlib import Path
from client.fixes.execute import Fixes
from client.fixes.machine import Local
from client.fixes.tree import Rule
from diagnostics.engine import examine
from diagnostics.targets import Targets

home = Path(os.environ["HOME"])
trash = home / ".local/share/Trash"
for folder in (home / ".cache/someapp", home / ".cache/deskside", trash / "files", trash / "info", home / "Documents"):
    folder.mkdir(parents=True)
(home / "Documents/thesis").write_bytes(b"t" * 100_000)
(home / ".cache/deskside/ours").write_bytes(b"o" * 1_000_000)
(trash / "files/old video").write_bytes(b"v" * 12_000_000)
(trash / "info/old video.trashinfo").write_text("[Trash Info]")
try:
    with open(home / ".cache/someapp/data", "wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)
except OSError as error:
    assert error.errno == 28, error

machine = Local()
machine.root = home / "root"  # the real /tmp is none of this test's business
real = machine.now_ns
machine.now_ns = lambda: real() + 2 * 3600 * 10**9  # the caches were written two hours ago

async def main():
    async def check(ids):
        return await examine(Targets(), only=frozenset(ids))
    report = await check(("disk.space",))
    fixes = Fixes(folder=home / "state", allowed=("*",), check=check, last_report=lambda: report, machine=machine)
    plan = await fixes.plan(sys.argv[1])
    outcome = await fixes.run(plan)
    print(json.dumps({
        "refused": plan.refused, "checks": plan.checks, "gain": plan.gain_bytes, "result": outcome.result, "words": outcome.words,
        "before": [[one.check, one.status] for one in outcome.before], "after": [[one.check, one.status] for one in outcome.after],
        "journal": [one.id == outcome.id for one in fixes.journal()], "kept": (home / "state/fixes.jsonl").exists(),
        "thesis": (home / "Documents/thesis").stat().st_size, "ours": (home / ".cache/deskside/ours").exists(),
    }))

asyncio.run(main())
"""


@pytest.mark.netlab  # root makes a small file system in a mount namespace of its own
@pytest.mark.parametrize("fix", ["disk.free_space", "disk.empty_trash"])
def test_a_full_disk_is_freed_and_the_check_proves_it(tmp_path, fix):
    image, home = tmp_path / "image", tmp_path / "disk"
    home.mkdir()
    with image.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    script = 'mount -o loop "$0" "$HOME" && "$1" -c "$2" "$3"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, str(image), sys.executable, FULL_DISK, fix],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home), "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["refused"] == ""
    assert seen["checks"] == ["disk.space"]
    assert seen["before"] == [["disk.space", "failed"]]
    assert seen["after"] == [["disk.space", "ok"]], seen["words"]
    assert seen["result"] == "helped"
    assert seen["journal"] == [True]
    assert seen["kept"]
    assert seen["gain"] > 10_000_000
    assert (seen["thesis"], seen["ours"]) == (100_000, True)
