"""Every text and list of every request has a limit, which a real server holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from tests.support.serving import Served, shared
from tests.support.serving import Shared as SharedServer

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import ModelsStub
from motionscribe_server.rpc.limits import LIMITS, Entries, Text

Code = grpc.StatusCode
GROWING = {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}
FRAMES = {"Frames.values", "Frames.timestamps_us", "Frames.confidences"}
"""Their sizes must fit each other and the credits (test_bad_frames.py, test_credits.py)."""


def methods() -> dict[str, list[str]]:
    """Methods by the name of the message that they take."""
    found: dict[str, list[str]] = {}
    for service in pb.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            found.setdefault(method.input_type.name, []).append(f"/{service.full_name}/{method.name}")
    return found


def growing(message: Descriptor, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldDescriptor]]:
    """Fields of a request that have no size of their own, with the way to them; lists and maps of messages included."""
    for field in message.fields:
        here = (*path, field.name)
        if field.is_repeated or field.type in GROWING:
            yield here, field
        elif field.message_type is not None:
            yield from growing(field.message_type, here)


def key(field: FieldDescriptor) -> str:
    assert field.containing_type is not None
    return f"{field.containing_type.name}.{field.name}"


FIELDS = [
    (name, path, field)
    for name in methods()
    for path, field in growing(pb.DESCRIPTOR.message_types_by_name[name])
    if key(field) not in FRAMES
]
IDS = [f"{name}.{'.'.join(path)}" for name, path, _ in FIELDS]


def test_every_field_that_can_grow_has_a_limit() -> None:
    found = {key(field) for name in methods() for _, field in growing(pb.DESCRIPTOR.message_types_by_name[name])}
    assert found == LIMITS.keys() | FRAMES
    assert len({key(field) for _, _, field in FIELDS}) == len(LIMITS)


def filled(field: FieldDescriptor, over: int) -> list[tuple[Any, str]]:
    """Values at the limit of a field, or one beyond: of each kind of limit that it has, and what the error says."""
    limit = LIMITS[key(field)]
    match limit:
        case Text(characters):
            return [("x" * (characters + over), f"of at most {characters} characters, got {characters + over}")]
        case Entries(most, each):
            many: list[Any] = ["x" if each else 0] * (most + over)
            values: list[tuple[Any, str]] = [(many, f"expected at most {most} {field.name}, got {most + over}")]
            if each:
                length = each.characters + over
                values.append((["x" * length], f"of at most {each.characters} characters, got {length}"))
            return values


def request(name: str, path: tuple[str, ...], value: Any) -> Message:
    """A message in which this one field is set."""
    message: Message = getattr(pb, name)()
    inner: Any = message
    for step in path[:-1]:
        getattr(inner, step).SetInParent()
        inner = getattr(inner, step)
    if isinstance(value, list):
        getattr(inner, path[-1]).extend(value)
    else:
        setattr(inner, path[-1], value)
    if isinstance(message, pb.StreamRequest) and path[-1] != "stream_id":
        message.open.stream_id = "lab"
    return message


@pytest.fixture(scope="module")
def server(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    with shared(tiny_model, tmp_path_factory.mktemp("limits"), server={"admin_port": 0}) as server:
        yield server


async def answer(served: Served, method: str, message: Message) -> tuple[grpc.StatusCode, str]:
    """The status of a call with this one message."""
    at = served.server.admin_port if "Admin" in method else served.server.port
    async with grpc.aio.insecure_channel(f"127.0.0.1:{at}") as channel:
        call: Any = channel.stream_stream(method)()
        await call.write(message.SerializeToString())
        await call.done_writing()
        try:
            while await call.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError:
            pass
        return await call.code(), await call.details() or ""


@pytest.mark.parametrize(("name", "path", "field"), FIELDS, ids=IDS)
def test_the_server_holds_the_limit(
    server: SharedServer, name: str, path: tuple[str, ...], field: FieldDescriptor
) -> None:
    async def test(served: Served) -> None:
        for method in methods()[name]:
            for value, said in filled(field, 1):
                code, message = await answer(served, method, request(name, path, value))
                assert (code, said in message) == (Code.INVALID_ARGUMENT, True), message
            for value, _ in filled(field, 0):
                _, message = await answer(served, method, request(name, path, value))
                assert "expected at most" not in message
                assert "of at most" not in message

    server.run(test)


@pytest.mark.parametrize(("size", "expected"), [(15_000, Code.OK), (17_000, Code.RESOURCE_EXHAUSTED)])
def test_metadata_has_a_size(server: SharedServer, size: int, expected: grpc.StatusCode) -> None:
    async def test(served: Served) -> None:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{served.server.port}") as channel:
            for _ in range(20):
                call = ModelsStub(channel).ListModels(pb.ListModelsRequest(), metadata=[("x", size * "y")])
                assert await call.code() == expected

    server.run(test)
