"""Puts Deskside and a Python of its own together into one folder, as the deb and the rpm install it.

    python installers/linux/tree.py TARGET [--version VERSION]

TARGET/deskside becomes what is /opt/deskside on an employee's computer: `bin/deskside`, and in `runtime` the interpreter that
runs this script, with the part of the standard library and of Qt that Deskside uses, and every wheel by its hash. TARGET/meaning is
laid over it where search by meaning is wanted.

No freezer: the program starts, fails and is looked into like any Python program, nothing is unpacked at start, the programs of
the system that checks run do not inherit foreign libraries, and two builds are alike. What is the distribution's business to
keep safe (OpenSSL, SQLite, zlib) is not brought along but required. Needs patchelf and strip.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "installers"))
import bill  # noqa: E402 -- a script beside this one

VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES: Final = ("client", "diagnostics", "resources")
_LEFT_OUT: Final = shutil.ignore_patterns(
    *(
        "__pycache__",
        "site-packages",
        "dist-packages",
        "test",
        "tests",
        "idlelib",
        "tkinter",
        "turtledemo",
        "turtle.py",
    ),
    *(
        "lib2to3",
        "ensurepip",
        "distutils",
        "pydoc_data",
        "config-*",
        "lib-dynload",
        "venv",
        "msilib",
        "EXTERNALLY-MANAGED",
    ),
)
# Extension modules that Deskside never loads, or whose libraries are called differently from distribution to distribution.
_NO_EXTENSIONS: Final = re.compile(
    r"^(_tkinter|_test|_xxtest|xx|nis|readline|_curses|_dbm|_gdbm|_bz2|_crypt|ossaudiodev|audioop)"
)
_QT_MODULES: Final = ("QtCore", "QtGui", "QtWidgets", "QtSvg")
_QT_PLUGINS: Final = (
    *("platforms/libqxcb.so", "platforms/libqwayland*.so", "platforms/libqoffscreen.so", "xcbglintegrations/*.so"),
    *("wayland-decoration-client/*.so", "wayland-graphics-integration-client/*.so", "wayland-shell-integration/*.so"),
    *("imageformats/libqsvg.so", "imageformats/libqjpeg.so", "imageformats/libqico.so"),
    *("iconengines/*.so", "platformthemes/libqxdg*.so", "platforminputcontexts/libibus*.so"),
    "platforminputcontexts/libcompose*.so",
)
# What understands meaning is half of the size, so it is a package of its own; without it search works by words.
_MEANING: Final = ("numpy", "numpy-*", "numpy.libs", "resources/model")
_QT_FILES: Final = ("__init__.py", "_config.py", "_git_pyside_version.py", "*.abi3.so*", "support", "Qt")
_LAUNCHER: Final = """\
#!/bin/sh
# -I: neither the environment nor the folder one stands in becomes part of the program.
exec /opt/deskside/runtime/bin/python3 -I -m client "$@"
"""


def run(*words: str | Path) -> str:
    return subprocess.run([str(one) for one in words], check=True, capture_output=True, text=True).stdout


def copy_python(runtime: Path) -> Path:
    """The running interpreter into `runtime`; gives its folder for packages."""
    base = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    library = runtime / f"lib/python{VERSION}"
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=_LEFT_OUT)
    (runtime / "bin").mkdir()
    program = runtime / "bin/python3"
    shutil.copy(base, program)
    extensions = library / "lib-dynload"
    extensions.mkdir()
    for one in Path(sysconfig.get_config_var("DESTSHARED")).glob("*.so"):
        if not _NO_EXTENSIONS.match(one.name):
            shutil.copy(one, extensions)
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        shared = f"libpython{VERSION}.so.1.0"
        if shared in run("patchelf", "--print-needed", program):
            shutil.copy(Path(sysconfig.get_config_var("LIBDIR")) / shared, runtime / "lib")
            run("patchelf", "--set-rpath", "$ORIGIN/../lib", program)
    for one in extensions.glob("*.so"):
        if run("patchelf", "--print-rpath", one).strip():
            run("patchelf", "--remove-rpath", one)
    packages = library / "site-packages"
    packages.mkdir()
    return packages


def install_wheels(packages: Path) -> None:
    """Every wheel of this system's list, by its hash.

    Raises:
        SystemExit: there is no list for this system and Python.
    """
    name = f"linux-{platform.machine()}-cp{sys.version_info.major}{sys.version_info.minor}"
    wheels = ROOT / f"installers/wheels/{name}.txt"
    if not wheels.exists():
        sys.exit(
            f"There is no list of reviewed wheels for {name}. Make it with installers/pins.py, or build with another Python."
        )
    command = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "install",
        "--no-deps",
        "--no-compile",
    ]
    command += ["--only-binary", ":all:", "--require-hashes", "--target", str(packages), "-r", str(wheels)]
    subprocess.run(command, check=True)


def slim(packages: Path) -> None:  # noqa: C901, PLR0912 -- one list of what goes, from top to bottom
    """Leaves of the wheels what runs: no tools of Qt, no modules of Qt that nobody imports, no headers, no tests."""
    qt = packages / "PySide6"
    for one in qt.iterdir():
        if not any(one.match(pattern) for pattern in _QT_FILES) or (
            one.name.endswith(".abi3.so") and one.name.split(".")[0] not in _QT_MODULES
        ):
            shutil.rmtree(one) if one.is_dir() else one.unlink()
    for one in (qt / "Qt").iterdir():
        if one.name not in {"lib", "plugins", "translations"}:
            shutil.rmtree(one)
    plugins = qt / "Qt/plugins"
    kept = {one for pattern in _QT_PLUGINS for one in plugins.glob(pattern)}
    for one in plugins.rglob("*.so"):
        if one not in kept:
            one.unlink()
    for one in (qt / "Qt/translations").iterdir():
        if one.is_dir():
            shutil.rmtree(one)
        elif not re.match(r"qtbase_(de|en|es|fr|it|nl|pl|pt)", one.name):
            one.unlink()
    keep_needed(qt / "Qt/lib", [*qt.glob("*.so*"), *kept])
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for pattern in ("*.pyi", "*.pyx", "*.pxd", "*.c", "*.h", "*.a"):
        for one in packages.rglob(pattern):
            one.unlink()
    for folder in [*packages.glob("*/tests"), *packages.glob("numpy/**/tests"), packages / "numpy/f2py"]:
        shutil.rmtree(folder, ignore_errors=True)
    for folder in sorted((one for one in packages.rglob("*") if one.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def keep_needed(folder: Path, starts: list[Path]) -> None:
    """Removes the libraries of `folder` that none of `starts` needs, directly or through another one."""
    there = {one.name: one for one in folder.glob("*.so*")}
    needed: set[str] = set()
    waiting = list(starts)
    while waiting:
        for name in run("patchelf", "--print-needed", waiting.pop()).split():
            if name in there and name not in needed:
                needed.add(name)
                waiting.append(there[name])
    for name, one in there.items():
        if name not in needed:
            one.unlink()


def add_program(target: Path, packages: Path, version: str) -> None:
    left_out = shutil.ignore_patterns("__pycache__", "demo", "words-de.toml")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, packages / package, ignore=left_out)
    if not (packages / "resources/model").is_dir():
        print("The search model is not there (installers/model.py makes it): this package searches by words alone.")
    stated = packages / "diagnostics/__init__.py"
    stated.write_text(re.sub(r'__version__ = "[^"]+"', f'__version__ = "{version}"', stated.read_text()))
    (target / "bin").mkdir()
    launcher = target / "bin/deskside"
    launcher.write_text(_LAUNCHER)
    launcher.chmod(0o755)
    (target / "VERSION").write_text(f"{version}\n")


def finish(target: Path) -> None:
    """Strips, compiles and sets modes, so that the same sources give the same bytes."""
    for one in target.rglob("*"):
        if one.is_file() and not one.is_symlink():
            with one.open("rb") as file:
                machine_code = file.read(4) == b"\x7fELF"
            # Libraries from wheels that auditwheel has repaired (".libs") do not survive being stripped.
            if machine_code and "site-packages" not in one.parts:
                run("strip", "--strip-unneeded", one)
            one.chmod(0o755 if machine_code or one.parent.name == "bin" else 0o644)
        elif one.is_dir():
            one.chmod(0o755)
    target.chmod(0o755)
    command = [str(target / "runtime/bin/python3"), "-I", "-m", "compileall", "-q", "-j1"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(target), "-p", "/opt/deskside"]
    subprocess.run(
        [*command, str(target / "runtime/lib")], check=True, env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
    )


def part_meaning(packages: Path, other: Path) -> None:
    for pattern in _MEANING:
        for one in packages.glob(pattern):
            moved = other / one.relative_to(packages)
            moved.parent.mkdir(parents=True, exist_ok=True)
            one.rename(moved)


def build(target: Path, version: str) -> None:
    """Builds `target`/deskside and `target`/meaning; `target` must not exist yet."""
    os.umask(0o022)
    program = target / "deskside"
    program.mkdir(parents=True)
    packages = copy_python(program / "runtime")
    install_wheels(packages)
    slim(packages)
    bill.write(program, packages, version=version, system="linux")
    add_program(program, packages, version)
    finish(program)
    part_meaning(packages, target / "meaning" / packages.relative_to(program))
    bill.date(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    parser.add_argument("--version", default=bill.version())
    options = parser.parse_args()
    build(options.target, options.version)


if __name__ == "__main__":
    main()
