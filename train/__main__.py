"""Entry point of ``python -m train``."""

import sys

from tracker.distribution import missing_library

try:
    from train.cli.main import main
except ModuleNotFoundError as error:
    sys.exit(missing_library("train", error))
except KeyboardInterrupt:  # nothing has begun yet
    sys.exit(130)

if __name__ == "__main__":
    main()
