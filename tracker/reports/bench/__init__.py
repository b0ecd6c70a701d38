"""``tracker bench``: latency per stage, start-up time and memory of the tracking loop on this computer.

The clip is generated from a shipped portrait that drifts across the frame, so neither a camera nor data is
needed. Each case is measured in a process of its own, so that its memory and start-up time are its own.
"""
