"""Progress without a terminal: lines that say where a step is and how long it will take."""

import re
from pathlib import Path
from time import monotonic, sleep

import pytest

from cat_dataset.system import progress as progress_module
from cat_dataset.system.progress import LINE_EVERY_S, LineProgress
from tests.command_line import cat


def _wait_for(lines: list[str], count: int) -> None:
    """Wait until there are so many lines; a minute is far more than it takes."""
    began_s = monotonic()
    while len(lines) < count:
        assert monotonic() - began_s < 60, lines
        sleep(0.01)


def test_a_line_comes_even_while_nothing_is_finished() -> None:
    """A long part does not look like a hang."""
    lines: list[str] = []
    with LineProgress(lines.append, every_s=0.05) as progress:
        progress.start("training base", 300)
        _wait_for(lines, 3)

    assert lines[0] == "training base: 300 to do"
    assert lines[1:3] == ["training base: 0 of 300, 0 s, time left not known yet"] * 2


def test_a_line_says_how_much_is_done_and_how_long_the_rest_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the speed since the first report: 10 parts in 60 s, so the other 20 take 2 minutes."""
    now_s = 1000.0
    monkeypatch.setattr(progress_module, "monotonic", lambda: now_s)
    lines: list[str] = []
    progress = LineProgress(lines.append, every_s=3600.0)
    with progress:
        progress.start("making pairs", 31)
        progress.advance(1)
        now_s = 1060.0
        progress.advance(10)
        step = progress._step
        assert step is not None

        assert step.line(now_s) == "making pairs: 11 of 31, 1 min 0 s, about 2 min 0 s left"
        progress.advance(20)

    assert lines[-1] == "making pairs: 31 of 31, 1 min 0 s, done"


def test_parts_of_an_earlier_run_do_not_count_as_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed stage reports its old steps at once; the next ten take 20 s, so 190 take 380."""
    now_s = 0.0
    monkeypatch.setattr(progress_module, "monotonic", lambda: now_s)
    with LineProgress([].append, every_s=3600.0) as progress:
        progress.start("training adapter", 1000)
        progress.advance(800)
        now_s = 20.0
        progress.advance(10)

        assert progress._step is not None
        assert progress._step.line(now_s).endswith("about 6 min 20 s left")


def test_lines_come_twice_a_minute() -> None:
    """What the README promises of a log."""
    assert LINE_EVERY_S <= 30.0


def test_a_finished_step_is_not_shown_as_running() -> None:
    """What follows, such as a calibration, may report nothing for a while."""
    lines: list[str] = []
    with LineProgress(lines.append, every_s=0.05) as progress:
        progress.start("training adapter", 1)
        progress.advance(1)
        _wait_for(lines, 3)

    assert lines[2] == "training adapter: done; the next step is being prepared"


@pytest.mark.bpy
@pytest.mark.slow
def test_a_command_without_a_terminal_writes_lines(tmp_path: Path) -> None:
    """No bars and no control characters in a log."""
    run = cat("preview", "manifests/tiny.toml", "--out", str(tmp_path / "sheet.png"))

    assert "\x1b" not in run.stderr
    assert re.search(r"^rendering: \d+ to do$", run.stderr, re.MULTILINE), run.stderr
    assert re.search(r"^rendering: (\d+) of \1, .*, done$", run.stderr, re.MULTILINE)
