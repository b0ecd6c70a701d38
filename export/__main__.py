"""Entry point of ``python -m export``."""

import sys

from tracker.distribution import missing_library

try:
    from export.cli import main
except ModuleNotFoundError as error:
    sys.exit(missing_library("export", error))
except KeyboardInterrupt:  # nothing has begun yet
    sys.exit(130)

if __name__ == "__main__":
    main()
