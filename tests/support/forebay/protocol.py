"""Messages and methods of forebay.v1, made from the protos with protoc; no generated code is needed."""

import pathlib
import subprocess
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2  # noqa: F401 (the API imports their files)

ROOT = pathlib.Path(__file__).resolve().parents[3]
PACKAGE = "forebay.v1"
FILES = sorted(path.name for path in (ROOT / "proto" / "forebay" / "v1").glob("*.proto"))


def _load():
    """Puts the API's files into protobuf's default pool."""
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        protos = [f"forebay/v1/{name}" for name in FILES]
        command = ["protoc", f"-I{ROOT}/proto", "--include_imports", f"--descriptor_set_out={out.name}", *protos]
        subprocess.run(command, check=True)
        described = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(out.name).read_bytes())
    pool = descriptor_pool.Default()
    for file in described.file:
        if file.package == PACKAGE:
            pool.Add(file)


_load()
POOL = descriptor_pool.Default()
_FACTORY = message_factory.MessageFactory(POOL)
ACCESS = POOL.FindExtensionByName(f"{PACKAGE}.access")


def message_class(descriptor):
    return _FACTORY.GetPrototype(descriptor)


def message(name: str):
    """Class of the message `name` of forebay.v1."""
    return message_class(POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


def enum(name: str):
    """{value name without the enum's prefix: number} of an enum of forebay.v1."""
    values = POOL.FindEnumTypeByName(f"{PACKAGE}.{name}").values
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    return {value.name.removeprefix(prefix): value.number for value in values}


def services():
    """Every service descriptor of the API."""
    for name in FILES:
        yield from POOL.FindFileByName(f"forebay/v1/{name}").services_by_name.values()


def access_of(method) -> str:
    """"VIEWER", "WORKER", …; "UNSPECIFIED" when the method says nothing."""
    number = method.GetOptions().Extensions[ACCESS]
    return POOL.FindEnumTypeByName(f"{PACKAGE}.Access").values_by_number[number].name.removeprefix("ACCESS_")


STATES = {number: name for name, number in enum("StateType").items()}
TERMINAL = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}
