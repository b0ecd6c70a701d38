"""``tracker plot``: JSON lines of a run as a drawing or a page."""
