"""Commands of ``python -m train``, one file each."""
