"""Runs: frames pass from a source through the tracker to outputs and the screen."""
