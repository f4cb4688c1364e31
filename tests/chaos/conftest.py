import pytest


@pytest.fixture
def quick_pool(env):
    """A pool whose leases end soon, so that a fault is over in seconds. Also makes the deployment flow/FLOW of it."""

    def make(name="alpha", limit=None, **timeouts):
        timeouts = {"lease_ttl": 2000, "start_deadline": 20000, "crash_after": 4000, "cancel_grace": 1000, **timeouts}
        return env.api.create_pool(name, limit=limit, **timeouts)

    return make


@pytest.fixture
def deploy(env):
    """deploy(name, *work): a deployment of the marker flow in pool alpha."""

    def make(name="flow/one", *work, **fields):
        return env.api.deploy(name, "alpha", env.marks.command(*work), **fields)

    return make


@pytest.fixture
def repeats(long):
    """repeats(ci, bar): how often to repeat: a few in CI, the bar in a long run."""
    return lambda ci, bar: bar if long else ci
