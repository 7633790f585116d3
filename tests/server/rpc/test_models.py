"""What a real server says of itself: its models, its health, its services."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.support.serving import Served, Shared
from tests.support.waiting import PATIENCE_S

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_to_message


def test_models_are_listed_and_described(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        (listed,) = (await served.models.ListModels(pb.ListModelsRequest())).models
        described = await served.models.DescribeModel(pb.DescribeModelRequest(name=listed.name, version="latest"))
        assert described == listed
        manifest = served.model.manifest
        assert (described.window, described.stride, described.hidden) == (
            manifest.window,
            manifest.stride,
            manifest.hidden,
        )
        assert tuple(described.columns) == served.skeleton.columns
        assert described.skeleton == skeleton_to_message(served.skeleton)
        assert described.provider == "CPUExecutionProvider"
        moment_us = 1e6 * manifest.stride / manifest.rate_hz
        assert described.latency_us["stable"] == round(manifest.latency["stable"] * moment_us)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.models.DescribeModel(pb.DescribeModelRequest(name="none"))
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND

    shared_server.run(run)


def test_health_and_reflection_answer(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        health = health_pb2_grpc.HealthStub(served.channel)
        for service in ("", "motionscribe.v1.Segmentation"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        call = reflection_pb2_grpc.ServerReflectionStub(served.channel).ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        answer = await asyncio.wait_for(call.read(), PATIENCE_S)
        await call.done_writing()
        names = {service.name for service in answer.list_services_response.service}
        assert names >= {f"motionscribe.v1.{name}" for name in ("Segmentation", "Models", "Clusters")}

    shared_server.run(run)
