from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.examples.conftest import BLINKS_S
from tests.examples.running import run_example


def test_every_blink_is_counted_when_it_ends(blinks: Path) -> None:
    done = run_example("blink_counter", blinks)
    assert done.exit_code == 0, done.stderr
    *lines, total = done.stdout.splitlines()
    times = [float(line.split()[0]) for line in lines]
    assert times == [pytest.approx(start + 0.2, abs=0.09) for start in BLINKS_S]  # two frames
    assert all(line.endswith("person 1 blinked") for line in lines)
    found = re.fullmatch(r"person 1: 3 blinks, (.*) a minute", total)
    assert found
    assert float(found[1]) == pytest.approx(60 * 3 / 3.36, abs=0.06)


def test_eyes_that_stay_open_do_not_blink(short: Path) -> None:
    assert run_example("blink_counter", short).stdout == "person 1: 0 blinks, 0.0 a minute\n"
