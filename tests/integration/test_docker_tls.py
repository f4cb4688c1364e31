"""An engine over TCP with TLS: the worker shows its certificate and checks the engine's."""

import contextlib
import json
import pathlib
import socket
import socketserver
import ssl
import subprocess
import threading

import pytest
from forebay.images import BUSYBOX
from forebay.waiting import wait_until


@pytest.fixture
def certificates(scratch):
    """An authority, and certificates of it for an engine on loopback and for a worker; another authority's too."""
    folder = scratch / "tls"
    folder.mkdir()

    def openssl(*words: str):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for authority in ("ca", "other-ca"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={authority}",
                "-keyout", f"{authority}.key", "-out", f"{authority}.pem")  # fmt: skip
    for name, authority in (("engine", "ca"), ("worker", "ca"), ("stranger", "other-ca")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
    return folder


@contextlib.contextmanager
def tls_front(engine_socket: pathlib.Path, certificates: pathlib.Path):
    """A port that speaks TLS with those who have a certificate of the authority, and is the engine behind it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "engine.pem", certificates / "engine.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED

    def pass_on(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError), context.wrap_socket(self.request, server_side=True) as client:
                with socket.socket(socket.AF_UNIX) as engine:
                    engine.connect(str(engine_socket))
                    back = threading.Thread(target=pass_on, args=(engine, client), daemon=True)
                    back.start()
                    pass_on(client, engine)
                    back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def worker_arguments(address: str, certificates: pathlib.Path, name: str) -> tuple[str, ...]:
    return (
        "--docker-host", address, "--docker-tls-ca-file", str(certificates / "ca.pem"),
        "--docker-tls-certificate-file", str(certificates / f"{name}.pem"),
        "--docker-tls-key-file", str(certificates / f"{name}.key"),
    )  # fmt: skip


def test_a_worker_launches_over_tls_and_a_stranger_does_not(env, api, docker_engine, certificates):
    api.create_pool("boxes", "docker")
    box = {"image": BUSYBOX, "image_pull_policy": "Never", "network_mode": "none", "auto_remove": True}
    api.deploy("flow/box", "boxes", ["echo", "over tls"], job_variables=json.dumps(box))
    with tls_front(docker_engine.socket, certificates) as address:
        stranger = env.new_worker("boxes", arguments=worker_arguments(address, certificates, "stranger"))
        wait_until(lambda: "none can launch" in api.WorkPoolService.GetWorkPool(name="workPools/boxes").work_pool.status_reason)
        stranger.kill()
        worker = env.new_worker("boxes", arguments=worker_arguments(address, certificates, "worker"))
        run_id = api.submit("flow/box")
        api.wait_for_end(run_id)
        assert api.output(run_id) == ["over tls"]
        assert worker.terminate() == 0
