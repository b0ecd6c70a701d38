"""Real-time 68-point face landmarks: offline, private, on an ordinary CPU."""
