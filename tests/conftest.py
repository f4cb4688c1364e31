"""Fixtures of the tests that drive real processes. Each test gets a database, a folder and what it asks for."""

import os
import pathlib
import shutil
import signal
import sys
import tempfile

import pytest

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))

from forebay import kubernetes_build  # noqa: E402
from forebay.daemons import Server  # noqa: E402
from forebay.docker_engine import DockerEngine, test_engine  # noqa: E402
from forebay.environment import Environment  # noqa: E402
from forebay.images import PYTHON_BASE, REPO_STATS, make_python_image, make_repo_stats_image, make_test_images  # noqa: E402
from forebay.kubernetes_client import KubernetesClient  # noqa: E402
from forebay.kubernetes_cluster import KubernetesCluster  # noqa: E402
from forebay.kubernetes_double import KubernetesDouble  # noqa: E402
from forebay.kubernetes_pool import KubernetesPool, worker_kubeconfig  # noqa: E402
from forebay.kubernetes_shared import shared_cluster  # noqa: E402
from forebay.postgres import TestPostgres  # noqa: E402
from forebay.process import SANITIZER  # noqa: E402
from forebay.registry import Registry  # noqa: E402
from forebay.registry_double import RegistryDouble  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the long repetitions of the fault tests")


def pytest_configure(config):
    # Begun in the background of a shell, we are told to ignore Ctrl-C, and so would be every program that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "minutes: takes minutes")
    config.addinivalue_line("markers", "slow: runs nothing that a sanitizer looks at")


def pytest_collection_modifyitems(items):
    """What takes minutes begins first, and what waits behind it in the same process is quick."""
    items.sort(key=lambda item: (item.get_closest_marker("minutes") is None, "/integration/" not in item.nodeid))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    setattr(item, f"report_{report.when}", report)


@pytest.fixture(scope="session")
def postgres():
    cluster = TestPostgres()
    yield cluster
    cluster.destroy()


def migrate(cluster: TestPostgres) -> tuple[str, str]:
    """(name of a migrated database, its admin key), made by the real server."""
    name = cluster.create()
    server = Server(make_scratch("template"), cluster.url(name))
    server.start()
    key = server.admin_key_file.read_text().strip()
    assert server.terminate() == 0, server.tail()
    shutil.rmtree(server.directory)
    return name, key


@pytest.fixture(scope="session")
def migrated(postgres):
    """What `migrate` made once, to be copied for every test."""
    return migrate(postgres)


@pytest.fixture(scope="session")
def make_migrated():
    """The same for a cluster of a test's own."""
    return migrate


def make_scratch(name: str) -> pathlib.Path:
    # Short, for the sake of socket paths, and open to the user that PostgreSQL runs as.
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"fb-{name[:20]}-", dir="/tmp"))
    path.chmod(0o755)
    return path


def failed(request) -> bool:
    report = getattr(request.node, "report_call", None) or getattr(request.node, "report_setup", None)
    return report is not None and report.failed


@pytest.fixture(scope="session")
def docker_engine():
    """A real engine with the test images, for all tests of this process; it is not to be killed."""
    engine = test_engine()
    try:
        make_test_images(engine)
        yield engine
    finally:
        if isinstance(engine, DockerEngine):
            engine.stop()


@pytest.fixture(scope="session")
def repo_stats_image(docker_engine):
    """The name of an image with python3, git, /app/repo_stats.py and a clone to read."""
    make_repo_stats_image(docker_engine)
    return REPO_STATS


@pytest.fixture(scope="session")
def python_image(docker_engine):
    """The name of an image with python3 and pip."""
    make_python_image(docker_engine)
    return PYTHON_BASE


@pytest.fixture
def own_engine():
    """An engine with the test images for one test, to be killed, paused and started again."""
    engine = DockerEngine()
    try:
        make_test_images(engine.start())
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def kubernetes_built():
    """A cluster can be started here; with FOREBAY_TEST_KUBERNETES=1 it must be possible."""
    if reason := kubernetes_build.missing():
        if os.environ.get("FOREBAY_TEST_KUBERNETES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def kubernetes(request):
    """The cluster of FOREBAY_TEST_KUBECONFIG, which stays as it is; else a real one with the test images, for all tests of
    all processes of this run; no part of it is to be killed. See KubernetesClient."""
    if given := os.environ.get("FOREBAY_TEST_KUBECONFIG"):
        yield KubernetesClient(pathlib.Path(given))
        return
    request.getfixturevalue("kubernetes_built")
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")
    with shared_cluster(pathlib.Path(f"/tmp/fbk-{run[:12]}")) as cluster:
        yield cluster


@pytest.fixture
def kubernetes_namespace(kubernetes):
    """A namespace of the test's own, in which Pod Security "restricted" is enforced."""
    name = kubernetes.make_namespace("runs", pod_security="restricted")
    yield name
    kubernetes.remove_namespace(name)


@pytest.fixture
def kubernetes_pool(env, kubernetes, kubernetes_namespace, scratch):
    """The pool `jobs`, whose workers may do in that namespace what deploy/kubernetes lets them do, and nothing else."""
    kubeconfig = worker_kubeconfig(kubernetes, kubernetes_namespace, scratch)
    return KubernetesPool(env, kubernetes.api, kubeconfig, kubernetes_namespace, cancel_grace=1000)


@pytest.fixture
def own_cluster(kubernetes_built):
    """A real Kubernetes cluster with the test images for one test, parts of which are to be killed, paused and started."""
    cluster = KubernetesCluster()
    try:
        make_test_images(cluster.start())
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def kubernetes_double(scratch):
    """An API server that misbehaves as told, with a small cluster behind it and the namespace "team"."""
    double = KubernetesDouble(scratch / "kubernetes")
    double.make_namespace("team")
    yield double
    double.close()


@pytest.fixture
def registry(scratch):
    """A registry that is open to everybody."""
    registry = Registry(scratch)
    yield registry.start()
    registry.close()


@pytest.fixture
def closed_registry(scratch):
    """A registry that wants a login; `closed_registry.auth` is a good one."""
    registry = Registry(scratch, "closed-registry", login=True)
    yield registry.start()
    registry.close()


@pytest.fixture
def registry_double():
    """A registry that misbehaves as told."""
    double = RegistryDouble()
    yield double
    double.close()


@pytest.fixture
def scratch(request):
    """A folder of the test's own; kept when it fails."""
    path = make_scratch("".join(c for c in request.node.name if c.isalnum() or c == "_"))
    yield path
    reports = sanitizer_reports(path)
    if failed(request) or reports:
        print_logs(path)
    else:
        shutil.rmtree(path, ignore_errors=True)
    assert not reports, f"a sanitizer reports: {reports}"


def sanitizer_reports(path: pathlib.Path) -> list[str]:
    lines = (line for log in path.rglob("*.log") for line in log.read_text(errors="replace").splitlines())
    return [line for line in lines if SANITIZER.search(line)]


def print_logs(path: pathlib.Path):
    for log in sorted(path.rglob("*.log")):
        lines = log.read_text(errors="replace").splitlines()
        print(f"--- {log}: last of {len(lines)} lines")
        print("\n".join(lines[-80:]))


@pytest.fixture
def env(request, postgres, migrated, scratch):
    """A database, a server on it, and makers of everything else; all of it stopped at the end."""
    environment = Environment(postgres, migrated, scratch)
    yield environment
    environment.close()


@pytest.fixture
def api(env):
    return env.api


@pytest.fixture
def long(request) -> bool:
    return request.config.getoption("--long") or bool(os.environ.get("FOREBAY_TEST_LONG"))
