"""``python -m tracker.steadiness``: measure jitter, lag and what smoothing leaves of blinks."""

from tracker.cli.steadiness import main

if __name__ == "__main__":
    main()
