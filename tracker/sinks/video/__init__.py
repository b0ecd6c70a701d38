"""Outputs of moving pictures: video files and numbered images."""
