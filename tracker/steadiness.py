"""``python -m tracker.steadiness``: jitter, lag and kept motion of landmarks under each smoothing."""

from tracker.cli.steadiness import main

if __name__ == "__main__":
    main()
