"""How steady points are and how late: measures of smoothing, and a command that takes them.

``python -m tracker.steadiness [PICTURE|VIDEO]``. Smoothing does not feed back into tracking, so points are
located once and every setting is judged on the same ones.
"""
