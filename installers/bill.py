"""What is in a package: a CycloneDX bill of materials (sbom.cdx.json) and the licences of everything in it (LICENSES.txt).

Written from what the wheels say of themselves, without a clock, a random number or a path in it, so that the same package
has the same bill. The shape is CycloneDX 1.5 (ECMA-424's predecessor), as JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
SBOM: Final = "sbom.cdx.json"
LICENSES: Final = "LICENSES.txt"
_LICENSE_FILE: Final = re.compile(r"(?i)(^|/)(licen[cs]e|copying|notice|authors)[^/]*$")


def version() -> str:
    """The version of Deskside in this checkout."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "diagnostics/__init__.py").read_text())
    if found is None:
        sys.exit("diagnostics/__init__.py states no version.")
    return found[1]


def commit_time() -> int:
    """The time that every file of a package gets: SOURCE_DATE_EPOCH, else the commit's, in seconds since 1970."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def date(folder: Path) -> None:
    """Gives everything in `folder` the commit's time."""
    when = commit_time()
    for one in (folder, *folder.rglob("*")):
        os.utime(one, (when, when), follow_symlinks=False)


def licence(one: metadata.Distribution) -> str:
    """What the distribution says its licence is: an SPDX expression, else its classifier, else its own words."""
    said = one.metadata
    if said.get("License-Expression"):
        return str(said["License-Expression"])
    kinds = [line.rpartition(" :: ")[2] for line in said.get_all("Classifier") or () if line.startswith("License :: ")]
    named = [kind for kind in kinds if kind != "OSI Approved"]
    return ", ".join(named) or (said.get("License") or "").strip().partition("\n")[0] or "see its licence files"


def component(one: metadata.Distribution) -> dict[str, Any]:
    name, number = one.metadata["Name"], one.version
    address = f"pkg:pypi/{name.lower().replace('_', '-')}@{number}"
    said = licence(one)
    stated = one.metadata.get("License-Expression")
    return {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": number,
        "purl": address,
        "licenses": [{"expression": stated}] if stated else [{"license": {"name": said}}],
    }


def write(target: Path, packages: Path, *, version: str, system: str, python: str = "") -> None:
    """Writes both files into `target` from the distributions in `packages`; call before our own packages are copied there.

    Args:
        python: the version of the interpreter in the package; by default the running one's.
    """
    found = sorted(metadata.distributions(path=[str(packages)]), key=lambda one: one.metadata["Name"].lower())
    number = python or platform.python_version()
    interpreter = {
        "type": "platform",
        "bom-ref": f"pkg:generic/python@{number}",
        "name": "CPython",
        "version": number,
        "purl": f"pkg:generic/python@{number}",
        "licenses": [{"license": {"id": "PSF-2.0"}}],
    }
    components = [interpreter, *map(component, found)]
    model = ROOT / "resources/model"
    if model.is_dir():
        components += [weights(one) for one in sorted(model.iterdir()) if one.suffix == ".int8"]
    own = f"pkg:generic/deskside@{version}"
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "deskside",
                "version": version,
                "purl": own,
                "licenses": [{"license": {"id": "MIT"}}],
            },
            "properties": [{"name": "deskside:system", "value": system}],
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [one["bom-ref"] for one in components]}],
    }
    (target / SBOM).write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    (target / LICENSES).write_text(licences(found, number), encoding="utf-8")


def weights(file: Path) -> dict[str, Any]:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{file.name}",
        "name": "all-MiniLM-L6-v2 (int8)",
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }


def licences(found: list[metadata.Distribution], python: str) -> str:
    """One list, and then the texts that the wheels bring."""
    lines = ["What Deskside brings along, and under which licence", "", f"CPython {python}: PSF-2.0"]
    lines += [f"{one.metadata['Name']} {one.version}: {licence(one)}" for one in found]
    lines += ["", "Deskside", "========", (ROOT / "LICENSE").read_text(encoding="utf-8")]
    for one in found:
        for file in sorted(one.files or (), key=str):
            if _LICENSE_FILE.search(str(file)) and Path(file.locate()).is_file():
                title = f"{one.metadata['Name']}: {Path(str(file)).name}"
                text = Path(file.locate()).read_text(encoding="utf-8", errors="replace")
                lines += [title, "=" * len(title), text]
    return "\n".join(lines)
