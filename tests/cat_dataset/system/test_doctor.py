import subprocess
import sys
from pathlib import Path

import pytest

from cat_dataset.system.doctor import APT_PACKAGES, examine
from cat_dataset.system.extras import EXTRA_MODULES


@pytest.mark.slow
def test_a_complete_install_is_found_sound(tmp_path: Path) -> None:
    """Every extra is imported in a process of its own; what is absent is no fault."""
    findings = {finding.subject: finding for finding in examine(tmp_path / "not" / "yet" / "there")}

    assert findings["Python"].state == "ok"
    assert {f"extra '{extra}'" for extra in EXTRA_MODULES} <= set(findings)
    assert all(finding.state != "broken" for finding in findings.values()), findings


_MISSING_LIBRARY = """
import sys
from pathlib import Path
folder = Path(sys.argv[1])
(folder / "bpy.py").write_text(
    "raise ImportError('libXi.so.6: cannot open shared object file: No such file or directory')"
)
sys.path.insert(0, str(folder))
import os
os.environ["PYTHONPATH"] = str(folder)
import pytest

from cat_dataset.system.doctor import examine
for finding in examine(folder):
    if finding.subject == "extra 'render'":
        print(finding.state, finding.found, finding.remedy, sep="|")
"""


@pytest.mark.slow
def test_a_missing_system_library_is_named_with_the_line_that_brings_it(tmp_path: Path) -> None:
    """The loader's words are turned into an apt line."""
    run = subprocess.run(
        [sys.executable, "-c", _MISSING_LIBRARY, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )

    state, found, remedy = run.stdout.strip().split("|")
    assert state == "broken"
    assert "libXi.so.6" in found
    assert f"apt-get install -y {' '.join(APT_PACKAGES)}" in remedy
