"""Server: the tracker in a browser, and for other programs over HTTP and WebSocket."""
