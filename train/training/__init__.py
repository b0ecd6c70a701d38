"""The training loop, its checkpoints, and the tasks that it trains on."""
