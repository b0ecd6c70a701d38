"""Ray clusters of several nodes on this computer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tracker.system.cluster import import_ray


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """Run a cluster whose head has one core; ``add_node`` and ``remove_node`` change it."""
    import_ray()
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        yield cluster
    finally:
        cluster.shutdown()
