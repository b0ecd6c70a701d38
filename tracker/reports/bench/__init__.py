"""``tracker bench``: what the tracking loop costs on this computer, per stage and in all.

The clip is made on the fly from a shipped portrait that drifts across the frame, so neither a camera nor
data is needed. Each setting is measured in a process of its own, which makes its memory and its time from
start to first result its own, too.
"""
