"""Entry point of ``python -m export``."""

import sys

from train.processes import ended_by_interrupt

with ended_by_interrupt():
    from tracker.distribution import missing_library

    try:
        from export.cli import main
    except ModuleNotFoundError as error:
        sys.exit(missing_library("export", error))

if __name__ == "__main__":
    main()
