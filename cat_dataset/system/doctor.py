"""Say what of the machine and the install is missing, and the command that mends it."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from cat_dataset.system.cores import available_cores
from cat_dataset.system.extras import EXTRA_MODULES, missing_modules

SUPPORTED_PYTHONS = ((3, 11), (3, 13))  # one bpy wheel each: 4.5 LTS and 5.2 LTS
# what bpy's libraries need of the system, also without a screen; `.ci/system-packages` reads it too
APT_PACKAGES = (Path(__file__).parent / "apt_packages.txt").read_text(encoding="ascii").split()
MIN_MEMORY_GIB = 6.0
MIN_DISK_GIB = 5.0
_IMPORT_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: Literal["ok", "absent", "broken"]  # absent: an extra that is simply not installed
    found: str
    remedy: str | None = None


def examine(folder: Path) -> tuple[Finding, ...]:
    """Return what was found; `folder` is where data would be written."""
    findings = [_python(), _cores(), _memory(), _disk(folder)]
    findings += [_extra(extra) for extra in EXTRA_MODULES]
    return tuple(findings)


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    supported = " and ".join(f"{major}.{minor}" for major, minor in SUPPORTED_PYTHONS)
    is_fine = sys.version_info[:2] in SUPPORTED_PYTHONS
    remedy = f"use Python {supported}: bpy has wheels for those"
    return Finding("Python", _state(is_fine), found, remedy)


def _state(is_fine: bool) -> Literal["ok", "broken"]:
    return "ok" if is_fine else "broken"


def _cores() -> Finding:
    return Finding("CPU cores", "ok", str(available_cores()))


def _memory() -> Finding:
    gib = psutil.virtual_memory().available / 2**30
    remedy = f"the demo wants {MIN_MEMORY_GIB:g} GiB; close other programs or use --workers 1"
    return Finding("memory", _state(gib >= MIN_MEMORY_GIB), f"{gib:.1f} GiB available", remedy)


def _disk(folder: Path) -> Finding:
    existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    gib = shutil.disk_usage(existing).free / 2**30
    remedy = f"make room: at least {MIN_DISK_GIB:g} GiB"
    return Finding("disk", _state(gib >= MIN_DISK_GIB), f"{gib:.1f} GiB free at {existing}", remedy)


def _extra(extra: str) -> Finding:
    """Import an extra's modules in a process of its own: bpy and torch do not share one."""
    subject = f"extra '{extra}'"
    missing = missing_modules(extra)
    if missing:
        remedy = f"pip install 'cat-dataset[{extra}]'"
        return Finding(subject, "absent", f"not installed: {', '.join(missing)}", remedy)
    modules = EXTRA_MODULES[extra]
    code = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)"
    try:
        run = subprocess.run(
            [sys.executable, "-P", "-c", code],
            capture_output=True,
            text=True,
            timeout=_IMPORT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        found = f"import took longer than {_IMPORT_TIMEOUT_S:g} s"
        return Finding(subject, "broken", found, "close other programs and look again")
    if run.returncode == 0:
        return Finding(subject, "ok", f"{', '.join(modules)} can be imported")
    last = run.stderr.strip().splitlines()[-1] if run.stderr.strip() else ""
    found = f"cannot be imported ({last or f'exit code {run.returncode}'})"
    return Finding(subject, "broken", found, _import_remedy(extra, last))


def _import_remedy(extra: str, last_line: str) -> str:
    """Return how to mend a failed import; a missing .so is a system library."""
    library = re.search(r"(lib\S+?\.so[.\d]*)", last_line)
    if library and "cannot open shared object" in last_line:
        return f"install the system libraries: apt-get install -y {' '.join(APT_PACKAGES)}"
    return f"pip install --force-reinstall 'cat-dataset[{extra}]'"
