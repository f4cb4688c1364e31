"""What the tests of runs in a Kubernetes cluster have in common."""

import pytest


@pytest.fixture
def pool(kubernetes_pool):
    return kubernetes_pool


@pytest.fixture
def worker(pool):
    return pool.new_worker()


@pytest.fixture
def run(pool, worker):
    """run(script, **variables): the ended run, with its output in `.lines`."""
    return pool.run
