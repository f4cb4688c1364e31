"""Flows that are served: this process listens for their runs and runs each in a process of its own, on this machine.

A served process is a worker of a pool made for it, by the same protocol as any other: leases, epochs, the start gate
(proto/forebay/v1/worker_protocol.proto).
"""
