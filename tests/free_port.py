"""A TCP port for a server of a test's own."""

import socket


def free_port():
    """On loopback, free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
