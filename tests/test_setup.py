"""`make` on a machine that lacks system packages: what `.ci/system-packages` finds and does.

The package tools are small scripts on PATH that say what is installed and log what is asked.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cat_dataset.system.doctor import APT_PACKAGES, SUPPORTED_PYTHONS

ROOT = Path(__file__).parents[1]
_TOOLS = {
    "dpkg-query": """for name; do :; done
grep -qx "$name" {folder}/installed && echo 'install ok installed' && exit 0
echo "dpkg-query: no packages found matching $name" >&2; exit 1""",
    "apt-get": """echo "apt-get $*" >> {folder}/log
case $1 in install) for name; do echo "$name"; done >> {folder}/installed ;; esac
exit {apt_rc}""",
    "id": "echo {user_id}",
}


class Machine:
    """A folder with Makefile and sources, and a PATH whose package tools are scripts."""

    def __init__(self, folder: Path, installed: list[str], user_id: int, apt_rc: int = 0) -> None:
        self.folder, self.clone = folder, folder / "clone"
        (folder / "bin").mkdir()
        for name, text in _TOOLS.items():
            body = text.format(folder=folder, user_id=user_id, apt_rc=apt_rc)
            self.add_program(name, body)
        (folder / "installed").write_text("".join(f"{name}\n" for name in installed))
        (folder / "log").write_text("")
        for name in (
            *("Makefile", "pyproject.toml", "constraints.txt"),
            *(".ci/system-packages", "cat_dataset/system/apt_packages.txt"),
        ):
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.clone / name)

    def add_program(self, name: str, body: str) -> str:
        """Write a shell script into PATH; return its path."""
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone."""
        path = f"{self.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        return subprocess.run(
            command,
            cwd=self.clone,
            env={"PATH": path, "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def find_packages(self, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
        """Run the script alone."""
        return self.run("sh", ".ci/system-packages", python)

    @property
    def log(self) -> list[str]:
        """Return the calls of apt-get."""
        return (self.folder / "log").read_text().splitlines()


def test_nothing_is_done_where_nothing_is_missing(tmp_path: Path) -> None:
    """No message, no call of apt-get, neither for root nor for another user."""
    machine = Machine(tmp_path, APT_PACKAGES, user_id=1000)

    run = machine.find_packages()

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert machine.log == []


def test_root_gets_what_is_missing_and_nothing_else(tmp_path: Path) -> None:
    """The lists of packages are fetched first; a second run finds all and asks for nothing."""
    machine = Machine(tmp_path, APT_PACKAGES[2:], user_id=0)

    run = machine.find_packages()
    first = machine.log
    again = machine.find_packages()

    assert run.returncode == 0, run.stderr
    assert first[0] == "apt-get update -qq"
    names = [word for word in first[1].split() if not word.startswith("-")]
    assert names == ["apt-get", "install", *APT_PACKAGES[:2]]
    assert again.returncode == 0
    assert machine.log == first


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_another_user_gets_the_one_command_and_no_half_made_environment(tmp_path: Path) -> None:
    """`make demo` ends before anything is made."""
    machine = Machine(tmp_path, APT_PACKAGES[:-1], user_id=1000)

    run = machine.run("make", "demo", f"PYTHON={sys.executable}")

    assert run.returncode == 2
    assert f"\n  sudo apt-get install -y {APT_PACKAGES[-1]}\n" in run.stderr
    assert machine.log == []
    assert not (machine.clone / ".venv").exists()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_failed_apt_get_ends_before_the_environment(tmp_path: Path) -> None:
    """Without a mirror that can be reached, say."""
    machine = Machine(tmp_path, [], user_id=0, apt_rc=100)

    run = machine.run("make", "test", f"PYTHON={sys.executable}")

    assert run.returncode == 2
    assert machine.log == ["apt-get update -qq"]
    assert not (machine.clone / ".venv").exists()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_an_environment_that_could_not_be_made_is_removed(tmp_path: Path) -> None:
    """A venv module that dies half way leaves its folder behind; make does not."""
    machine = Machine(tmp_path, APT_PACKAGES, user_id=1000)
    python = machine.add_program(
        "dying-python",
        f'[ "$1" = -m ] && {{ mkdir -p "$3/bin"; exit 1; }}\nexec {sys.executable} "$@"',
    )

    run = machine.run("make", "demo", f"PYTHON={python}")

    assert run.returncode == 2
    assert not (machine.clone / ".venv").exists()


def test_a_python_without_venv_gets_the_package_of_its_version(tmp_path: Path) -> None:
    """Debian cuts ensurepip out of Python, so `python3 -m venv` would stop half way."""
    machine = Machine(tmp_path, APT_PACKAGES, user_id=0)
    python = machine.add_program(
        "cut-python", f'case "$2" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"'
    )

    run = machine.find_packages(python)

    assert run.returncode == 0, run.stderr
    version = ".".join(str(part) for part in sys.version_info[:2])
    assert machine.log[-1].endswith(f" python{version}-venv")


@pytest.mark.parametrize(("found", "is_fine"), [("3.11", True), ("3.12", False), ("3.13", True)])
def test_a_python_that_blender_has_no_wheel_for_is_refused(
    found: str, is_fine: bool, tmp_path: Path
) -> None:
    """The same two versions as `cat-dataset doctor` and pyproject.toml name."""
    machine = Machine(tmp_path, APT_PACKAGES, user_id=0)
    python = machine.add_program("some-python", f'case "$2" in *print*) echo {found} ;; esac')

    run = machine.find_packages(python)

    assert (run.returncode == 0) == is_fine
    assert (tuple(int(part) for part in found.split(".")) in SUPPORTED_PYTHONS) == is_fine
    if not is_fine:
        assert f"is Python {found}: use 3.11 or 3.13" in run.stderr
        assert machine.log == []


def test_the_system_packages_are_listed_in_one_place() -> None:
    """What installs them and what names them read one file, which the wheel holds too."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "system/apt_packages.txt" in settings["package-data"]["cat_dataset"]
    for name in ("README.md", "Makefile", ".ci/run", ".ci/system-packages", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text()
        assert not [package for package in APT_PACKAGES if package in text], name
