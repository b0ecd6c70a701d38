"""Check that each file of tracker/ has enough of its lines covered: ``coverage_floor.py COVERAGE.json``.

A file below the floor needs a line ``Coverage: REASON.`` in its module docstring. The exit code is 1 where
one has none.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

FLOOR_PERCENT = 85.0


def reason(path: Path) -> str | None:
    """Return why the file at ``path`` may be below the floor, as its module docstring says."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    found = re.search(r"^Coverage: (.+)$", text, re.MULTILINE)
    return found[1] if found else None


def main() -> None:
    """Print the files below the floor; exit with 1 if one gives no reason."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(f"coverage of tracker/: {report['totals']['percent_covered']:.1f} % of lines")  # noqa: T201
    unexplained = 0
    for name, file in sorted(report["files"].items()):
        percent = file["summary"]["percent_covered"]
        if percent < FLOOR_PERCENT:
            why = reason(Path(name))
            unexplained += why is None
            print(f"{name}: {percent:.1f} %: {why or 'no reason given'}")  # noqa: T201
    if unexplained:
        print(f"{unexplained} files under {FLOOR_PERCENT:g} % without a reason", file=sys.stderr)  # noqa: T201
        sys.exit(1)


main()
