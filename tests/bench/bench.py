"""scripts/bench: reads the command line, installs and builds what is missing, runs the command."""

import importlib
import os
import pathlib
import subprocess
import sys

import arguments

ROOT = arguments.ROOT
# What `scripts/install_packages` is asked for.
PACKAGES = {"table": "test", "dispatch": "test", "peers": "peers", "profile": "profile"}
MODULES = {"table": "run_bench", "dispatch": "dispatch", "peers": "run_peers", "profile": "profile_load"}


def main() -> int:
    options = arguments.parse(sys.argv[1:])
    if not options.built:
        subprocess.run([ROOT / "scripts" / "install_packages", PACKAGES[options.command]], check=True)
    sys.path[:0] = [str(ROOT / "tests" / "support"), str(pathlib.Path(__file__).parent / "peers")]
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    if not options.built:
        os.environ["FOREBAY_BIN_DIR"] = str(ROOT / "build" / "release" / "bin")
    os.environ.setdefault("FOREBAY_BIN_DIR", str(ROOT / "build" / "release" / "bin"))
    command = importlib.import_module(MODULES[options.command])
    if (refusal := command.refuse(options)) is not None:
        print(f"scripts/bench {options.command}: error: {refusal}", file=sys.stderr)
        return 2
    if not options.built and command.needs_build(options):
        subprocess.run([ROOT / "scripts" / "dev", "release"], check=True)
    return command.run(options)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failed:
        print(f"scripts/bench: {failed}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
