"""The admin port: a model swapped in while streams run, a drain, settings; and nobody there who should not be."""

import asyncio
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.serving import Served, alone, final, motion, process_of, serving
from tests.support.waiting import until

from motionscribe.cli import main
from motionscribe_models.manifest import read_manifest, write_manifest
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import AdminStub
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.stream_keys import digest

Code = grpc.StatusCode


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """The shipped model in a folder of its own, to which versions can be added."""
    return Path(shutil.copytree(tiny_model, tmp_path / "models" / tiny_model.parent.name / "1"))


def another(model: Path, version: str) -> Path:
    """The same network as another version."""
    folder = Path(shutil.copytree(model, model.parent / version))
    write_manifest(folder, replace(read_manifest(folder), version=version))
    return folder


def admin(channel: grpc.aio.Channel) -> Any:
    """Its methods."""
    return AdminStub(channel)


def at(served: Served) -> grpc.aio.Channel:
    """A channel to the admin port."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{served.server.admin_port}")


async def status(call: Any) -> tuple[grpc.StatusCode, str]:
    """Of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details() or ""


def test_a_new_version_is_served_while_old_streams_go_on_with_theirs(model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(model, tmp_path, server={"admin_port": 0}) as served, at(served) as channel:
            recording = motion(served.skeleton, 12)
            old = await served.opened("old", provisional=False)
            await old.send(recording, 0, 500)
            (worker,) = served.server.pool.workers
            another(model, "2")
            loaded = await admin(channel).LoadModel(pb.LoadModelRequest(name="cmu-expmap"))
            assert loaded.version == "2"
            new = await served.opened("new", provisional=False)
            assert (old.opened.model.version, new.opened.model.version) == ("1", "2")
            listed = await served.models.ListModels(pb.ListModelsRequest())
            assert [listed.version for listed in listed.models] == ["1", "2"]
            await old.send(recording, 500)
            await new.send(recording)
            expected = final(alone(served, recording, SessionOptions(provisional=False)))
            assert final(await old.finish()) == final(await new.finish()) == expected
            # the old worker ends with its last stream, and is not replaced
            await until(lambda: process_of(worker).poll() is not None)
            assert worker not in served.server.pool.workers
            assert len(served.server.pool.workers) == 1
            # a version that is there already costs nothing
            again = served.server.pool.workers
            await admin(channel).LoadModel(pb.LoadModelRequest(name="cmu-expmap", version="2"))
            assert served.server.pool.workers is again

    asyncio.run(run())


@pytest.mark.parametrize(
    ("spoil", "code", "expected"),
    [
        (lambda folder: shutil.rmtree(folder), Code.NOT_FOUND, "no version '2'"),
        (lambda folder: (folder / "encoder.onnx").write_bytes(b"x"), Code.INVALID_ARGUMENT, "encoder.onnx"),
    ],
    ids=["absent", "spoilt"],
)
def test_a_version_that_cannot_be_served_changes_nothing(
    model: Path, tmp_path: Path, spoil: Any, code: grpc.StatusCode, expected: str
) -> None:
    async def run() -> None:
        async with serving(model, tmp_path, server={"admin_port": 0}) as served, at(served) as channel:
            before = served.server.pool.workers
            spoil(another(model, "2"))
            got, message = await status(admin(channel).LoadModel(pb.LoadModelRequest(name="cmu-expmap", version="2")))
            assert got == code
            assert expected in message
            assert served.server.pool.workers is before
            assert (await served.opened()).opened.model.version == "1"

    asyncio.run(run())


def test_a_worker_that_died_just_before_is_not_replaced_twice(model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(model, tmp_path, server={"admin_port": 0}) as served, at(served) as channel:
            another(model, "2")
            process_of(served.server.pool.workers[0]).kill()
            await admin(channel).LoadModel(pb.LoadModelRequest(name="cmu-expmap"))
            # a second worker would come late: nobody but the pool knows what it is still about to start
            await until(lambda: not served.server.pool._restarts)  # noqa: SLF001
            assert len(served.server.pool.workers) == 1
            assert (await served.opened()).opened.model.version == "2"

    asyncio.run(run())


def test_settings_and_drain(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def run() -> None:
        async with serving(model, tmp_path, server={"admin_port": 0}, limits={"credits": 777}) as served:
            port = ["--port", str(served.server.admin_port)]
            assert await asyncio.to_thread(main, ["admin", "config", *port]) == 0
            assert tomllib.loads(capsys.readouterr().out)["limits"]["credits"] == 777
            assert await asyncio.to_thread(main, ["admin", "load", "cmu-expmap/1", *port]) == 0
            assert "cmu-expmap/1 is served, int8 on" in capsys.readouterr().out
            assert await asyncio.to_thread(main, ["admin", "load", "dance", *port]) == 1
            assert "no model 'dance'" in capsys.readouterr().err
            assert not served.server.stopping.is_set()
            assert await asyncio.to_thread(main, ["admin", "drain", *port]) == 0
            assert served.server.stopping.is_set()

    asyncio.run(run())


def test_only_the_tenant_admin_may_administer_and_only_there(model: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(f'lab = "{digest("one")}"\nadmin = "{digest("two")}"\n')

    async def run() -> None:
        async with (
            serving(model, tmp_path, server={"admin_port": 0}, security={"tokens": tokens}) as served,
            at(served) as channel,
        ):
            for metadata in (None, [("authorization", "Bearer one")]):
                got, _ = await status(admin(channel).Drain(pb.DrainRequest(), metadata=metadata))
                assert got == Code.UNAUTHENTICATED
            theirs = [("authorization", "Bearer two")]
            assert (await admin(channel).ShowConfig(pb.ShowConfigRequest(), metadata=theirs)).toml
            got, _ = await status(admin(served.channel).Drain(pb.DrainRequest(), metadata=theirs))
            assert got == Code.UNIMPLEMENTED
            assert not served.server.stopping.is_set()

    asyncio.run(run())
