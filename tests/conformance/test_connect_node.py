"""The Connect protocol's own client for Node calls the HTTP listener."""

import json
import pathlib
import shutil
import subprocess

import pytest
from forebay import protocol

HERE = pathlib.Path(__file__).parent / "connect"
# One installation for all runs of the tests, like everything else that is built.
INSTALLED = protocol.ROOT / "build" / "connect"


@pytest.fixture(scope="module")
def client() -> pathlib.Path:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "calls.mjs"):
        shutil.copy(HERE / name, INSTALLED / name)
    subprocess.run(
        ["npm", "install", "--silent", "--no-package-lock", "--no-audit", "--no-fund"], cwd=INSTALLED, check=True, timeout=300
    )
    descriptors = ["protoc", f"-I{protocol.ROOT}/proto", "--include_imports", "--descriptor_set_out=api.pb"]
    subprocess.run([*descriptors, *(f"forebay/v1/{name}" for name in protocol.FILES)], cwd=INSTALLED, check=True)
    return INSTALLED


def test_the_client_for_node(env, api, client):
    command = ["node", "calls.mjs", "api.pb", env.server.http_url, env.admin_key]
    done = subprocess.run(command, cwd=client, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for form, seen in json.loads(done.stdout).items():
        assert seen["made"] == f"workPools/connect-{form}" and seen["listed"]
        assert (seen["missing"]["code"], seen["missing"]["reason"]) == ("NotFound", "WORK_POOL_NOT_FOUND")
        assert seen["missing"]["message"].startswith("work pool 'none' does not exist")
        assert seen["again"]["code"] == "AlreadyExists"
        assert seen["late"]["code"] == "DeadlineExceeded"
        assert seen["aborted"]["code"] in ("Canceled", "DeadlineExceeded")
