"""The health service of gRPC, asked in its own words: grpc.health.v1 is no part of the API's protos."""

import contextlib

import grpc

METHOD = "/grpc.health.v1.Health/Check"
SERVING = b"\x08\x01"


@contextlib.contextmanager
def connected(address: str):
    """`with connected(address) as serving:` keeps a connection; serving() says whether the server is, and False when it
    says nothing in time."""
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        method = channel.unary_unary(METHOD)

        def serving(timeout: float = 10.0) -> bool:
            try:
                return method(b"", timeout=timeout) == SERVING
            except grpc.RpcError:
                return False

        yield serving


def is_serving(address: str) -> bool:
    """The same once, on a connection of its own."""
    with connected(address) as serving:
        return serving()
