"""Builds the deb and the rpm: `deskside`, and `deskside-meaning` for search by meaning.

    python installers/linux/package.py OUT [--version VERSION] [--kind deb --kind rpm]

Needs nfpm, patchelf and strip. Two builds of one commit by one Python are alike, byte for byte: every file has the time of the
commit (or SOURCE_DATE_EPOCH). DESKSIDE_SIGN_KEY names the file of a PGP key (its password in NFPM_PASSPHRASE) that the packages are
signed with; without it they are not signed, and the last line says so.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT)]
import bill  # noqa: E402 -- a script beside this one
import tree  # noqa: E402 -- as above

from client.cli.root import COMMANDS  # noqa: E402 -- the checkout, which may not be installed

HOME: Final = "/opt/deskside"
PYTHON: Final = f"{HOME}/runtime/bin/python3"
ICON_SIZES: Final = (16, 22, 24, 32, 48, 64)
KINDS: Final = ("deb", "rpm")
# What is required of the system, by the name of its file and of Debian's packages ("a | b" where releases differ).
LIBRARIES: Final = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libbrotlicommon.so.1": "libbrotli1",
    "libbrotlidec.so.1": "libbrotli1",
    "libc.so.6": "libc6 (>= 2.35)",
    "libcrypto.so.3": "libssl3 | libssl3t64",
    "libdbus-1.so.3": "libdbus-1-3",
    "libexpat.so.1": "libexpat1",
    "libffi.so.8": "libffi8",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libgcc_s.so.1": "libgcc-s1",
    "libglib-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libgthread-2.0.so.0": "libglib2.0-0 | libglib2.0-0t64",
    "liblzma.so.5": "liblzma5",
    "libsqlite3.so.0": "libsqlite3-0",
    "libssl.so.3": "libssl3 | libssl3t64",
    "libstdc++.so.6": "libstdc++6",
    "libuuid.so.1": "libuuid1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
_OF_LIBC: Final = ("ld-linux", "libdl.", "libm.", "libpthread.", "libresolv.", "librt.", "libutil.")


def required(folder: Path) -> set[str]:
    """The libraries that the files of `folder` want from the system.

    Raises:
        SystemExit: one of them has no entry in the table above.
    """
    files = [one for one in folder.rglob("*") if one.is_file() and (".so" in one.name or one.name == "python3")]
    there = {one.name for one in files}
    wanted = {name for one in files for name in tree.run("patchelf", "--print-needed", one).split()} - there
    wanted = {name for name in wanted if not name.startswith(_OF_LIBC)}
    if unknown := wanted - LIBRARIES.keys():
        sys.exit(f"No package is named for {', '.join(sorted(unknown))}; add it to LIBRARIES in {Path(__file__).name}.")
    return wanted


def manual(version: str, day: str) -> str:
    commands = "".join(f".TP\n.B {name}\n{text}\n" for name, text in COMMANDS.items())
    return rf""".TH DESKSIDE 1 "{day}" "Deskside {version}" "User Commands"
.SH NAME
deskside \- see what is wrong with this computer, fix it, or ask IT
.SH SYNOPSIS
.B deskside
[\fB\-\-settings\fR \fIFILE\fR] [\fICOMMAND\fR ...]
.SH DESCRIPTION
Without a command the icon is shown. With one, the same is done on the command line;
.B deskside COMMAND \-\-help
says how.
.SH COMMANDS
{commands}.SH EXIT STATUS
0 done, or nothing is wrong; 1 what was asked about is not well; 2 wrong usage or settings; 3 failed; 4 kept for later.
.SH FILES
.TP
.I /etc/deskside/policy.d/*.toml
what IT has decided; an example of every setting lies beside
.TP
.I ~/.config/deskside/settings.toml
one's own settings
.TP
.I ~/.local/share/deskside
drafts and what waits to be sent
"""


def lay_out(stage: Path, version: str, when: int) -> None:
    """The files beside /opt/deskside into `stage`, as they lie on the computer."""
    day = dt.datetime.fromtimestamp(when, dt.UTC).strftime("%Y-%m-%d")
    helper = HERE / "helper"
    places = {
        "usr/share/applications/deskside.desktop": HERE / "package/deskside.desktop",
        "usr/share/dbus-1/system.d/io.github.deskside.Helper1.conf": helper / "io.github.deskside.Helper1.conf",
        "usr/share/dbus-1/system-services/io.github.deskside.Helper1.service": helper
        / "io.github.deskside.Helper1.service",
        "usr/lib/systemd/system/deskside-helper.service": helper / "deskside-helper.service",
        "usr/share/polkit-1/actions/io.github.deskside.helper.policy": helper / "io.github.deskside.helper.policy",
        "usr/share/doc/deskside/privileged-helper.md": ROOT / "docs/privileged-helper.md",
        "usr/share/doc/deskside/settings.md": ROOT / "docs/settings.md",
        "usr/share/bash-completion/completions/deskside": HERE / "package/completion.bash",
    }
    for place, source in places.items():
        put(stage / place, filled(source.read_text(encoding="utf-8"), version))
    put(stage / "usr/share/man/man1/deskside.1.gz", gzip.compress(manual(version, day).encode(), mtime=0))
    changes = (ROOT / "CHANGELOG.md").read_bytes()
    put(stage / "usr/share/doc/deskside/changelog.gz", gzip.compress(changes, mtime=0))
    for size in ICON_SIZES:
        icon = (ROOT / f"resources/icons/tray/fine-{size}.png").read_bytes()
        put(stage / f"usr/share/icons/hicolor/{size}x{size}/apps/deskside.png", icon)


def filled(text: str, version: str) -> str:
    return text.replace("@PYTHON@", PYTHON).replace("@VERSION@", version).replace("@COMMANDS@", " ".join(COMMANDS))


def put(place: Path, content: str | bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    place.chmod(0o644)


def entry(kind: str, source: Path | str, place: str, **more: str | int) -> dict[str, Any]:
    return {
        "src": str(source),
        "dst": place,
        **({"type": kind} if kind else {}),
        **({"file_info": more} if more else {}),
    }


def contents(stage: Path, program: Path) -> list[dict[str, Any]]:
    policy = "/etc/deskside/policy.d"
    docs = "/usr/share/doc/deskside"
    return [
        {"src": str(program), "dst": HOME, "type": "tree"},
        *(
            entry("", one, f"/{one.relative_to(stage)}", mode=0o644)
            for one in sorted(stage.rglob("*"))
            if one.is_file()
        ),
        entry("symlink", f"{HOME}/bin/deskside", "/usr/bin/deskside"),
        entry("symlink", f"{HOME}/{bill.LICENSES}", f"{docs}/copyright"),
        {"dst": "/etc/deskside", "type": "dir", "file_info": {"mode": 0o755}},
        {"dst": policy, "type": "dir", "file_info": {"mode": 0o755}},
        entry(
            "config|noreplace",
            ROOT / "resources/policy/linux/deskside.toml",
            f"{policy}/deskside.toml.example",
            mode=0o644,
        ),
        entry(
            "config|noreplace", HERE / "package/autostart.desktop", "/etc/xdg/autostart/deskside.desktop", mode=0o644
        ),
    ]


def describe(name: str, version: str, when: int, **more: object) -> dict[str, Any]:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    moment = dt.datetime.fromtimestamp(when, dt.UTC).isoformat().replace("+00:00", "Z")
    described = {
        "name": name,
        "arch": machine,
        "platform": "linux",
        "version": version,
        "version_schema": "none",
        "release": "1",
        "section": "admin",
        "priority": "optional",
        "maintainer": "The authors of Deskside",
        "license": "MIT",
        "mtime": moment,
        "umask": 0o022,
        "deb": {"compression": "xz"},
        "rpm": {
            "compression": "xz",
            "group": "System",
            "buildhost": "deskside",
            "summary": "Self-service client of the IT help desk",
        },
        **more,
    }
    if key := os.environ.get("DESKSIDE_SIGN_KEY"):
        described["deb"]["signature"] = {"method": "debsign", "key_file": key, "type": "origin"}
        described["rpm"]["signature"] = {"key_file": key}
    return described


def build(out: Path, *, version: str, kinds: list[str]) -> list[Path]:
    """Builds the packages into the folder `out` and gives them."""
    out.mkdir(parents=True, exist_ok=True)
    when = bill.commit_time()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tree.build(work / "tree", version)
        lay_out(work / "stage", version, when)
        scripts = {}
        for name in ("preinstall", "postinstall", "preremove", "postremove"):
            put(work / name, filled((HERE / "package" / name).read_text(), version))
            scripts[name] = str(work / name)
        program, meaning = work / "tree/deskside", work / "tree/meaning"
        wanted = {kind: systems_own(kind, required(program)) for kind in KINDS}
        descriptions = {
            "deskside": describe(
                *("deskside", version, when),
                description="Self-service client of the IT help desk: checks, names the cause, fixes, writes the ticket.",
                contents=contents(work / "stage", program),
                scripts=scripts,
                overrides={
                    "deb": {
                        "depends": [*wanted["deb"], "ca-certificates"],
                        "recommends": [
                            "deskside-meaning",
                            "polkitd | policykit-1",
                            "fonts-dejavu-core | fonts-freefont-ttf",
                        ],
                        "suggests": ["gnome-keyring | kwalletmanager"],
                    },
                    "rpm": {
                        "depends": [*wanted["rpm"], "ca-certificates"],
                        "recommends": ["deskside-meaning", "polkit"],
                    },
                },
            ),
            "deskside-meaning": describe(
                *("deskside-meaning", version, when),
                description="Deskside finds help articles by the meaning of what was typed, not by its words alone.",
                contents=[{"src": str(meaning), "dst": HOME, "type": "tree"}],
                overrides={
                    "deb": {"depends": [f"deskside (= {version}-1)"]},
                    "rpm": {"depends": [f"deskside = {version}-1"]},
                },
            ),
        }
        return [make(work, out, one, kind) for one in descriptions.values() for kind in kinds]


def systems_own(kind: str, names: set[str]) -> list[str]:
    """Libraries as the packager wants them named: packages for dpkg, file names for rpm."""
    return sorted({LIBRARIES[name] if kind == "deb" else f"{name}()(64bit)" for name in names})


def make(work: Path, out: Path, description: dict[str, Any], kind: str) -> Path:
    config = work / f"{description['name']}.{kind}.yaml"
    config.write_text(json.dumps(description))  # JSON is YAML
    nfpm = shutil.which("nfpm") or str(Path(sys.executable).with_name("nfpm"))
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(bill.commit_time())}
    before = set(out.glob(f"*.{kind}"))
    done = subprocess.run(
        [nfpm, "package", "--config", str(config), "--packager", kind, "--target", str(out)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"nfpm could not build {description['name']}.{kind}: {done.stderr.strip() or done.stdout.strip()}")
    made = Path(done.stdout.rsplit("created package: ", 1)[-1].strip()) if "created package" in done.stdout else None
    return made or next(iter(set(out.glob(f"*.{kind}")) - before))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--version", default=bill.version())
    parser.add_argument("--kind", action="append", choices=KINDS)
    options = parser.parse_args()
    for one in build(options.out, version=options.version, kinds=options.kind or list(KINDS)):
        print(f"{one}  {one.stat().st_size / 1e6:.1f} MB")
    print("Signed." if os.environ.get("DESKSIDE_SIGN_KEY") else "NOT signed: DESKSIDE_SIGN_KEY names no key.")


if __name__ == "__main__":
    main()
