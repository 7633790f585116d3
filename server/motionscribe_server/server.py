"""One running server: gRPC, workers, registry, health, reflection and metrics, from start to drained.

In: Settings and the models to serve. Out: a port that answers. It handles no signals and no command line: command.py
does.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import (
    add_AdminServicer_to_server,
    add_ClustersServicer_to_server,
    add_ModelsServicer_to_server,
    add_SegmentationServicer_to_server,
)
from motionscribe_server.access.audit import Audit
from motionscribe_server.access.quota import Quota
from motionscribe_server.access.tenants import Tenants, read_tenants
from motionscribe_server.engine.messages import Start
from motionscribe_server.errors import SettingsError
from motionscribe_server.metrics import LOOPBACK, Metrics, MetricsServer
from motionscribe_server.rpc.admin import AdminService
from motionscribe_server.rpc.calls import RpcCalls
from motionscribe_server.rpc.clusters import ClustersService
from motionscribe_server.rpc.models import ModelsService
from motionscribe_server.rpc.segmentation import SegmentationService
from motionscribe_server.rpc.token_interceptor import TokenInterceptor
from motionscribe_server.session.model import ServedModel
from motionscribe_server.settings import SecuritySettings, Settings
from motionscribe_server.storage.async_store import AsyncStore
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.streams.catalog import Catalog, LoadedModel
from motionscribe_server.streams.expiry import EXPIRE_EVERY_S, RENEW_EVERY_S
from motionscribe_server.streams.registry import Registry
from motionscribe_server.workers.pool import Pool

log = logging.getLogger(__name__)

SERVICES = tuple(pb.DESCRIPTOR.services_by_name[name].full_name for name in ("Segmentation", "Models", "Clusters"))
REAP_EVERY_S = 1.0
ADMIN = "admin"
"""The tenant that may call the service Admin."""


def channel_options(settings: Settings) -> list[tuple[str, int]]:
    """Options of a gRPC server; each says why it is not the default."""
    return [
        ("grpc.max_receive_message_length", settings.limits.max_message_bytes),
        # gRPC would buffer minutes of stale frames of a stream; credits bound what waits
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 64 << 10),
        # a client that froze or lost its network is noticed after the sum of time and ping timeout (15.5 s measured)
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.http2.ping_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # clients may ping as often as we do
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ("grpc.max_concurrent_streams", settings.limits.connection_calls),
        # two servers on one port would get every other call
        ("grpc.so_reuseport", 0),
    ]


def worker_count(settings: Settings) -> int:
    """Processes that compute: as set, or one for each core that this process may use."""
    return settings.server.workers or len(os.sched_getaffinity(0))


def start_message(settings: Settings, models: Sequence[ServedModel]) -> Start:
    """The Start message of each worker."""
    return Start(
        models=settings.server.models,
        model_keys=settings.security.model_keys,
        load=tuple((model.manifest.name, model.manifest.version) for model in models),
        variant=settings.model.variant,
        batch_sizes=settings.model.batch_sizes,
        threads=settings.model.threads,
        log_level=settings.server.log_level,
    )


def _credentials(security: SecuritySettings) -> grpc.ServerCredentials | None:
    """Certificate and key for TLS, None for plaintext. Raises SettingsError for files that cannot be read."""
    if security.tls_certificate is None or security.tls_key is None:
        return None
    try:
        chain, key = security.tls_certificate.read_bytes(), security.tls_key.read_bytes()
        clients = security.tls_clients.read_bytes() if security.tls_clients else None
    except OSError as error:
        raise SettingsError(f"security.tls_*: expected PEM files that can be read, got {error}") from error
    return grpc.ssl_server_credentials([(key, chain)], clients, require_client_auth=clients is not None)


def _bind(server: grpc.aio.Server, host: str, port: int, credentials: grpc.ServerCredentials | None = None) -> int:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if credentials is None:
            return int(server.add_insecure_port(address))
        return int(server.add_secure_port(address, credentials))
    except RuntimeError as error:
        raise SettingsError(f"expected an address that is free, got {host}:{port}: {error}") from error


async def _repeat(work: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            await work()
        except Exception:
            log.exception("%s failed, and is tried again", work.__qualname__)


class Server:
    """A server that is started once and stopped once."""

    def __init__(self, settings: Settings, models: Sequence[ServedModel]) -> None:
        self._settings = settings
        self._models = models
        self.metrics = Metrics()
        self._metrics_server: MetricsServer | None = None
        self._admin: grpc.aio.Server | None = None
        self._health = health.aio.HealthServicer()
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0
        """The port that answers, after start."""
        self.admin_port: int | None = None
        """The port of the service Admin, where there is one."""
        self.stopping = asyncio.Event()
        """Set when the server shall drain: by a signal, or by the service Admin."""

    async def start(self) -> None:
        """Starts workers, opens store and ports. Raises StoreError, SettingsError, ContractError."""
        settings = self._settings
        tenants = read_tenants(settings.security.tokens)
        credentials = _credentials(settings.security)
        self.audit = Audit(settings.security.audit)
        self.store = AsyncStore(open_store(settings.storage.location))
        self.pool = Pool(start_message(settings, self._models), worker_count(settings), self.metrics)
        try:
            engines = await self.pool.start()
        except BaseException:
            await self._close()
            raise
        catalog = Catalog(LoadedModel(model, engines[model.key]) for model in self._models)
        clock = asyncio.get_running_loop().time
        self.registry = Registry(settings, catalog, self.store, self.pool, self.metrics, clock)
        interceptor = TokenInterceptor(tenants, self.metrics, self.audit)
        calls = RpcCalls(tenants, self.metrics, self.audit)
        quota = Quota(settings.limits.tenant_frames_per_s, settings.limits.tenant_bytes_per_s, clock)
        self._grpc = grpc.aio.server(interceptors=[interceptor], options=channel_options(settings))
        add_SegmentationServicer_to_server(SegmentationService(self.registry, calls, quota, self.metrics), self._grpc)
        add_ModelsServicer_to_server(ModelsService(catalog, calls), self._grpc)
        add_ClustersServicer_to_server(ClustersService(self.registry, calls), self._grpc)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._grpc)
        try:
            if settings.server.metrics_port is not None:
                self._metrics_server = self.metrics.serve(settings.server.metrics_port, tenants)
            self.port = _bind(self._grpc, settings.server.host, settings.server.port, credentials)
            if settings.server.admin_port is not None:
                self.admin_port = self._serve_admin(tenants.only(ADMIN), settings.server.admin_port, catalog)
        except SettingsError:
            await self._close()
            raise
        registry = self.registry
        rounds = ((registry.reap, REAP_EVERY_S), (registry.renew, RENEW_EVERY_S), (registry.expire, EXPIRE_EVERY_S))
        # a store that is slow must hold up no reaping
        self._tasks = [asyncio.create_task(_repeat(work, every_s)) for work, every_s in rounds]
        await self._grpc.start()
        if self._admin:
            await self._admin.start()
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Drains: opens no stream, sends owners away with their tokens, saves clusters, ends calls within the grace."""
        await self._health.enter_graceful_shutdown()
        await self.registry.drain()
        await self._grpc.stop(self._settings.server.grace_s)
        if self._admin:
            await self._admin.stop(self._settings.server.grace_s)
        await self._close()

    async def failed(self) -> None:
        """Never returns; raises if a background task fails."""
        await asyncio.gather(*self._tasks)

    @property
    def metrics_port(self) -> int | None:
        """The port of metrics, where there is one."""
        return self._metrics_server.port if self._metrics_server else None

    def _serve_admin(self, tenants: Tenants, port: int, catalog: Catalog) -> int:
        self._admin = grpc.aio.server(
            interceptors=[TokenInterceptor(tenants, self.metrics, self.audit)], options=channel_options(self._settings)
        )
        calls = RpcCalls(tenants, self.metrics, self.audit)
        service = AdminService(self._settings, catalog, self.pool, calls, self.stopping.set)
        add_AdminServicer_to_server(service, self._admin)
        return _bind(self._admin, LOOPBACK, port)

    async def _set_health(self, status: int) -> None:
        for name in ("", *SERVICES):
            await self._health.set(name, status)

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.pool.close()
        await self.store.close()
        self.audit.close()
        if self._metrics_server:
            await asyncio.to_thread(self._metrics_server.close)
