"""Batches of videos and image folders, on the processes of this computer or on a Ray cluster."""
