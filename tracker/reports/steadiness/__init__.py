"""``python -m tracker.steadiness``: jitter, lag and kept motion of landmarks under each smoothing."""
