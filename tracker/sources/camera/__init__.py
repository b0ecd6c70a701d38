"""Cameras of this computer and network streams."""
