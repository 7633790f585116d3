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
from grpc_reflection.v1alpha import reflection

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import (
    add_AdminServicer_to_server,
    add_AnomaliesServicer_to_server,
    add_ClustersServicer_to_server,
    add_ExplanationsServicer_to_server,
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
from motionscribe_server.rpc.anomalies import AnomaliesService
from motionscribe_server.rpc.calls import RpcCalls
from motionscribe_server.rpc.clusters import ClustersService
from motionscribe_server.rpc.explanations import ExplanationsService
from motionscribe_server.rpc.health import NAME as HEALTH
from motionscribe_server.rpc.health import HealthService
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
from motionscribe_server.workers.subprocess_transport import SubprocessTransport
from motionscribe_server.workers.transport import Transport

log = logging.getLogger(__name__)

SERVICES = tuple(
    pb.DESCRIPTOR.services_by_name[name].full_name
    for name in ("Segmentation", "Models", "Clusters", "Anomalies", "Explanations")
)
METADATA_BYTES = 16 << 10
PING_AFTER_MS = 10_000
"""Of silence on a connection."""
PING_TIMEOUT_MS = 5_000
REAP_EVERY_S = 1.0
ADMIN = "admin"
"""The tenant that may call the service Admin."""


def channel_options(settings: Settings) -> list[tuple[str, int]]:
    """Options of a gRPC server; each says why it is not the default."""
    return [
        ("grpc.max_receive_message_length", settings.limits.max_message_bytes),
        # gRPC unpacks a message before it looks how large it is: no algorithm but none
        ("grpc.compression_enabled_algorithms_bitset", 1),
        # by default gRPC refuses some calls from 8 KB on, by chance, and all from 16 KB on
        ("grpc.max_metadata_size", METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", METADATA_BYTES),
        # gRPC would buffer minutes of stale frames of a stream; credits bound what waits
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 64 << 10),
        # a client that froze or lost its network is noticed after the sum of both (15.5 s measured)
        ("grpc.keepalive_time_ms", PING_AFTER_MS),
        ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
        ("grpc.http2.ping_timeout_ms", PING_TIMEOUT_MS),
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
        models=settings.server.models_folder,
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
    """A server that is started once and stopped once. `transport` makes what lies between it and each worker."""

    def __init__(
        self,
        settings: Settings,
        models: Sequence[ServedModel],
        transport: Callable[[], Transport] = SubprocessTransport,
    ) -> None:
        self._settings = settings
        self._models = models
        self._transport = transport
        self.metrics = Metrics()
        self._metrics_server: MetricsServer | None = None
        self._admin: grpc.aio.Server | None = None
        self._health = HealthService(SERVICES)
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
        start = start_message(settings, self._models)
        self.pool = Pool(start, worker_count(settings), self.metrics, self._transport)
        try:
            await self._start(tenants, credentials)
        except BaseException:
            await self._close()
            raise

    async def _start(self, tenants: Tenants, credentials: grpc.ServerCredentials | None) -> None:
        settings = self._settings
        engines = await self.pool.start()
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
        add_AnomaliesServicer_to_server(AnomaliesService(self.registry, calls), self._grpc)
        add_ExplanationsServicer_to_server(ExplanationsService(self.registry, calls), self._grpc)
        self._grpc.add_generic_rpc_handlers((self._health.handler(),))
        reflection.enable_server_reflection((*SERVICES, HEALTH, reflection.SERVICE_NAME), self._grpc)
        if settings.server.metrics_port is not None:
            self._metrics_server = self.metrics.serve(
                settings.server.metrics_port, tenants, lambda: self._health.serves
            )
        self.port = _bind(self._grpc, settings.server.host, settings.server.port, credentials)
        if settings.server.admin_port is not None:
            self.admin_port = self._serve_admin(tenants.only(ADMIN), settings.server.admin_port, catalog)
        registry = self.registry
        rounds = ((registry.reap, REAP_EVERY_S), (registry.renew, RENEW_EVERY_S), (registry.expire, EXPIRE_EVERY_S))
        # a store that is slow must hold up no reaping
        self._tasks = [asyncio.create_task(_repeat(work, every_s)) for work, every_s in rounds]
        await self._grpc.start()
        if self._admin:
            await self._admin.start()
        self._health.begin()

    async def stop(self) -> None:
        """Drains: opens no stream, sends owners away with their tokens, saves clusters, ends calls.

        All of that has the grace together. What waits for a client, a worker or the store by then is given up: a
        durable stream goes on from an older checkpoint, and its client has kept the frames since.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + self._settings.server.grace_s
        self._health.end()
        try:
            async with asyncio.timeout_at(end):
                await self.registry.drain()
        except TimeoutError:
            log.warning("streams did not drain within %g s", self._settings.server.grace_s)
        servers = [server for server in (self._grpc, self._admin) if server]
        await asyncio.gather(*(server.stop(max(0.0, end - clock())) for server in servers))
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
