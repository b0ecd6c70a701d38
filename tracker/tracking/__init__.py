"""Tracking: faces in each frame of a video, followed over time."""
