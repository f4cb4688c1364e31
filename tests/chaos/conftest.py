import pytest


@pytest.fixture
def quick_pool(env):
    """make(): a pool whose leases end soon, so that a fault is over in seconds."""

    def make(name="alpha", limit=None, **timeouts):
        timeouts = {"lease_ttl": 2000, "start_deadline": 20000, "crash_after": 4000, "cancel_grace": 1000, **timeouts}
        return env.api.create_pool(name, limit=limit, **timeouts)

    return make


@pytest.fixture
def calm_pool(env):
    """make(): a pool whose leases outlast a loaded machine, for workers that do not beat."""
    return lambda name="alpha": env.api.create_pool(name, lease_ttl=60000, crash_after=60000)


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
