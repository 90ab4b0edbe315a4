"""Writes installers/wheels/*.txt: every wheel that a package brings, with its version and the hash of its file.

    python installers/pins.py [TARGET ...]

The versions are those of installers/constraints.txt. The package builders install from these lists with `--require-hashes`,
so that what was reviewed is what goes into a package. Run it again after a change of constraints.txt or of the dependencies.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
LISTS: Final = HERE / "wheels"
# pip judges markers for the system it runs on, so what only one system needs is named here.
_NOT_LINUX: Final = frozenset({"secretstorage", "jeepney"})
_MANYLINUX: Final = ("2_17", "2_28", "2_34", "2_39")
_MACOS: Final = ("11_0", "12_0", "13_0")
TARGETS: Final = {
    **{
        f"linux-{machine}-cp3{minor}": (
            f"3.{minor}",
            (*(f"manylinux_{one}_{machine}" for one in _MANYLINUX), f"manylinux2014_{machine}"),
        )
        for machine in ("x86_64", "aarch64")
        for minor in (11, 12, 13)
    },
    "windows-amd64-cp313": ("3.13", ("win_amd64",)),
    "macos-arm64-cp313": (
        "3.13",
        (*(f"macosx_{one}_arm64" for one in _MACOS), *(f"macosx_{one}_universal2" for one in ("10_13", *_MACOS))),
    ),
}


def wanted(target: str) -> list[str]:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    extra = ["pywin32-ctypes", "colorama"] if target.startswith("windows") else []
    return [*project["dependencies"], *project["optional-dependencies"]["meaning"], *extra]


def pin(target: str) -> None:
    version, platforms = TARGETS[target]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--dry-run"]
        command += ["--ignore-installed", "--only-binary", ":all:", "--target", folder, "--report", str(report)]
        command += ["--implementation", "cp", "--python-version", version, "-c", str(HERE / "constraints.txt")]
        for platform in platforms:
            command += ["--platform", platform]
        subprocess.run([*command, *wanted(target)], check=True)
        found = json.loads(report.read_text())["install"]
    lines = {
        one["metadata"]["name"].lower(): f"{one['metadata']['name']}=={one['metadata']['version']}"
        f" --hash=sha256:{one['download_info']['archive_info']['hashes']['sha256']}"
        for one in found
    }
    kept = [line for name, line in sorted(lines.items()) if target.startswith("linux") or name not in _NOT_LINUX]
    (LISTS / f"{target}.txt").write_text("\n".join(["# Written by installers/pins.py.", *kept, ""]))
    print(f"{target}: {len(kept)} wheels")


def main() -> None:
    LISTS.mkdir(exist_ok=True)
    for target in sys.argv[1:] or TARGETS:
        if target not in TARGETS:
            sys.exit(f"There is no target {target!r}; there are {', '.join(TARGETS)}.")
        pin(target)


if __name__ == "__main__":
    main()
