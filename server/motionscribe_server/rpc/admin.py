"""Administration over gRPC, on a port of its own that only this machine reaches: load a model, drain, show settings.

Loading a model starts new workers, which check it and warm it up. Old workers finish their sessions with the version
that these have; new sessions go to the new workers.
"""

import asyncio
from collections.abc import Callable

from motionscribe_models.repository import Repository
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import AdminServicer
from motionscribe_server.rpc.calls import Context, RpcCalls
from motionscribe_server.rpc.limits import MODEL, VERSION
from motionscribe_server.session.model import ServedModel
from motionscribe_server.settings import Settings, to_toml
from motionscribe_server.streams.catalog import LATEST, Catalog, LoadedModel
from motionscribe_server.workers.pool import Pool


class AdminService(AdminServicer):
    """See segmentation.proto for the statuses. `drain` makes the process stop as SIGTERM does."""

    def __init__(
        self, settings: Settings, catalog: Catalog, pool: Pool, calls: RpcCalls, drain: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._pool = pool
        self._calls = calls
        self._drain = drain
        self._loading = asyncio.Lock()

    async def LoadModel(self, request: pb.LoadModelRequest, context: Context) -> pb.Model:  # noqa: N802
        """Serves one more model or version from now on."""
        action = f"LoadModel {request.name[: MODEL.characters]}/{request.version[: VERSION.characters]}"
        async with self._calls(context, action, request), self._loading:
            return (await self._load(request.name, request.version)).to_message()
        raise AssertionError("unreachable: abort raises")

    async def Drain(self, _request: pb.DrainRequest, context: Context) -> pb.DrainResponse:  # noqa: N802
        """Begins to drain; the process stops afterwards."""
        async with self._calls(context, "Drain"):
            self._drain()
            return pb.DrainResponse()
        raise AssertionError("unreachable: abort raises")

    async def ShowConfig(  # noqa: N802
        self, _request: pb.ShowConfigRequest, context: Context
    ) -> pb.ShowConfigResponse:
        """All settings as a TOML file."""
        async with self._calls(context, "ShowConfig"):
            return pb.ShowConfigResponse(toml=to_toml(self._settings, {}))
        raise AssertionError("unreachable: abort raises")

    async def _load(self, name: str, version: str) -> LoadedModel:
        repository = Repository(self._settings.server.models_folder, self._settings.security.model_keys)
        version = "latest" if version in LATEST else version
        model = await asyncio.to_thread(lambda: ServedModel(repository.load(name, version)))
        there = {loaded.key: loaded for loaded in self._catalog.models}
        if model.key not in there:
            models = [*(loaded.served for loaded in there.values()), model]
            engines = await self._pool.replace_workers(models)
            self._catalog.replace(LoadedModel(served, engines[served.key]) for served in models)
        return self._catalog.find(model.manifest.name, model.manifest.version)
