"""Sources: frames from cameras, videos and still images."""
