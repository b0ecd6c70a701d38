"""Shipped recipes, one file each with a ``CONFIG``, and the loading of recipes."""
