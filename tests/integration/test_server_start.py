"""How the server starts, and how it refuses to."""

import os
import pathlib
import socket
import stat

import psycopg2
import pytest
from forebay.api import Api
from forebay.daemons import Server, admin_api
from forebay.process import is_alive
from forebay.waiting import wait_until


@pytest.fixture
def make(request, scratch):
    """make(name, …): a server that is not started, killed at the end."""
    servers = []

    def new(name="server", **options):
        servers.append(Server(scratch, name=name, **options))
        return servers[-1]

    yield new
    for server in servers:
        server.kill()
        end_private_database(server)


def end_private_database(server):
    for pid_file in server.data_dir.rglob("postmaster.pid"):
        pid = int(pid_file.read_text().split()[0])
        if is_alive(pid):
            os.kill(pid, 3)
            wait_until(lambda: not is_alive(pid), what="private PostgreSQL gone")


def refuses(server, *words) -> str:
    server.spawn()
    assert server.wait() not in (0, -6, -11), server.tail()
    for word in words:
        assert word in server.tail(), server.tail()
    return server.tail()


def test_a_private_cluster_is_made_stopped_with_the_server_and_used_again(make):
    server = make().start()
    key = server.admin_key_file.read_text().strip()
    assert stat.S_IMODE(server.admin_key_file.stat().st_mode) == 0o600
    api = admin_api(server)
    assert api.ServerService.GetServerStatus().private_database
    api.create_pool("alpha")
    assert server.terminate() == 0
    assert not list(server.data_dir.rglob("postmaster.pid"))
    server.start()
    assert Api(server.address, key).WorkPoolService.GetWorkPool(name="workPools/alpha").work_pool.type == "process"


def test_a_lost_admin_key_is_revoked_in_the_database_and_made_anew(make, postgres):
    database = postgres.create()
    server = make(database_url=postgres.url(database)).start()
    lost = server.admin_key_file.read_text()
    server.admin_key_file.unlink()
    server.terminate()
    server.start()
    assert not server.admin_key_file.exists(), "it is not made twice"
    server.terminate()
    connection = postgres.connect(database)
    connection.cursor().execute("UPDATE credentials SET revoked_at = now() WHERE role = 'admin'")
    connection.close()
    server.start()
    assert server.admin_key_file.read_text() != lost
    assert admin_api(server).ServerService.GetServerStatus().schema_version
    server.terminate()
    postgres.drop(database)


def test_the_private_cluster_listens_on_no_network_and_runs_unprivileged(make):
    server = make().start()
    (pid_file,) = list(server.data_dir.rglob("postmaster.pid"))
    lines = pid_file.read_text().splitlines()
    pid = int(lines[0])
    assert os.stat(f"/proc/{pid}").st_uid != 0
    inodes = {os.readlink(path) for path in map(str, pathlib.Path(f"/proc/{pid}/fd").iterdir()) if os.path.islink(path)}
    listening = [line.split() for name in ("tcp", "tcp6") for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    assert not [row for row in listening if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]


def test_a_private_cluster_recovers_after_a_crash_of_server_and_database(make):
    server = make().start()
    admin_api(server).create_pool("alpha")
    (pid_file,) = list(server.data_dir.rglob("postmaster.pid"))
    pid = int(pid_file.read_text().split()[0])
    server.kill()
    if is_alive(pid):
        os.kill(pid, 9)
        wait_until(lambda: not is_alive(pid), what="PostgreSQL gone")
    server.start()
    assert admin_api(server).WorkPoolService.GetWorkPool(name="workPools/alpha").work_pool.name


def test_a_killed_server_takes_over_or_ends_the_database_it_left(make):
    server = make().start()
    admin_api(server).create_pool("alpha")
    server.kill()
    server.start()
    assert admin_api(server).WorkPoolService.GetWorkPool(name="workPools/alpha").work_pool.name
    assert server.terminate() == 0


def test_two_servers_never_share_one_data_directory(make):
    first = make().start()
    second = make("second")
    second.argv[second.argv.index("--data-dir") + 1] = str(first.data_dir)
    refuses(second, str(first.data_dir))
    assert first.running and admin_api(first).ServerService.GetVersion().version


def test_a_busy_port_is_named(make, scratch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        refuses(make(listen=address), address)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0"])
def test_listening_beyond_loopback_must_be_asked_for(make, listen):
    refuses(make(listen=listen), "insecure-listen")


def test_it_listens_beyond_loopback_when_told_so(make, postgres, migrated):
    database = postgres.create(migrated[0])
    server = make(listen="0.0.0.0:0", database_url=postgres.url(database), arguments=("--insecure-listen",)).start()
    port = server.address.rsplit(":", 1)[1]
    assert Api(f"127.0.0.1:{port}").ServerService.GetVersion().version
    server.kill()
    postgres.drop(database)


def test_a_database_that_is_away_at_start_is_named(make):
    said = refuses(make(database_url="postgresql://nobody:sesame@127.0.0.1:1/forebay"), "127.0.0.1")
    assert "sesame" not in said


def test_a_data_directory_of_another_owner_is_refused(make):
    server = make()
    server.data_dir.mkdir()
    os.chown(server.data_dir, 12345, 12345)
    refuses(server, str(server.data_dir))


def test_a_data_directory_that_is_not_forebays_is_left_alone(make):
    server = make()
    server.data_dir.mkdir()
    (server.data_dir / "precious").write_text("mine")
    server.spawn()
    wait_until(lambda: not server.running or server.ready_file.exists(), what="started or refused")
    assert (server.data_dir / "precious").read_text() == "mine"


def test_a_database_of_a_newer_version_is_refused(make, postgres, migrated):
    database = postgres.create(migrated[0])
    connection = postgres.connect(database)
    connection.cursor().execute("INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'future', 'x')")
    connection.close()
    refuses(make(database_url=postgres.url(database)), "9999")
    postgres.drop(database)


def test_a_changed_migration_is_refused(make, postgres, migrated):
    database = postgres.create(migrated[0])
    connection = postgres.connect(database)
    connection.cursor().execute("UPDATE schema_migrations SET checksum = 'x' WHERE version = 1")
    connection.close()
    refuses(make(database_url=postgres.url(database)), "1")
    postgres.drop(database)


def test_several_servers_start_at_once_on_an_empty_database(make, postgres):
    database = postgres.create()
    servers = [make(f"server{number}", database_url=postgres.url(database)) for number in range(3)]
    for server in servers:
        server.ready_file.unlink(missing_ok=True)
        server.spawn()
    for server in servers:
        server.await_serving()
    keys = [server.admin_key_file.read_text().strip() for server in servers if server.admin_key_file.exists()]
    assert len(keys) == 1
    for server in servers:
        assert Api(server.address, keys[0]).ServerService.GetServerStatus().schema_version >= 1
        assert server.terminate() == 0
    postgres.drop(database)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--listn", "x"), ("listn", "listen")),
        (("--log-level", "loud"), ("loud", "debug")),
        (("--database-connections", "2"), ("database_connections", "2")),
        (("--poll-deadline-seconds", "soon"), ("soon",)),
        (("--tls-certificate-file", "/nowhere.pem"), ("tls",)),
    ],
)
def test_a_wrong_flag_is_named(make, arguments, words):
    refuses(make(arguments=arguments), *words)


def test_yaml_with_an_unknown_key_names_the_nearest(make, scratch):
    config = scratch / "server.yaml"
    config.write_text("listn: 127.0.0.1:0\n")
    refuses(make(arguments=("--config", str(config))), "listn", "listen", str(config))


def test_a_full_disk_is_an_error_that_names_the_place(make, scratch):
    small = scratch / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=4m tmpfs {small} 2>/dev/null") != 0:
        pytest.skip("no right to mount a small file system")
    try:
        server = make()
        server.argv[server.argv.index("--data-dir") + 1] = str(small / "data")
        small.chmod(0o755)
        refuses(server, "space")
    finally:
        os.system(f"umount {small}")


def test_the_password_of_the_database_stands_in_no_log(make, postgres, migrated):
    database = postgres.create(migrated[0])
    connection = psycopg2.connect(postgres.url(database))
    connection.close()
    url = postgres.url(database).replace("postgres@", "postgres:sesame@")
    server = make(database_url=url).start()
    assert server.terminate() == 0
    assert "sesame" not in server.log.read_text()
    postgres.drop(database)
