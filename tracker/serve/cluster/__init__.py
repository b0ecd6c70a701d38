"""The server's inference on a Ray cluster (extra ``cluster``)."""
