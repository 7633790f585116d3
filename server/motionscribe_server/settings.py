"""The server's settings: one frozen value in five groups, and as the text of a TOML file.

In: values by group and name. Out: Settings, checked. Where values come from is the business of read_settings.py, how
flags and variables are called that of setting_names.py. It does not open ports, models or stores.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from motionscribe_models.shipped import shipped_models
from motionscribe_proto.addresses import is_loopback
from motionscribe_server.storage.open_store import scheme_of

PASSWORD = re.compile(r"^(\w+://[^/]*?:?)[^/:]*@")

Port = Annotated[int, Field(ge=0, le=65535)]


class Group(BaseModel):
    """Settings that belong together. Descriptions are also the help of flags and the table in docs/3-serving.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_is_a_truth_value(cls, value: object, info: ValidationInfo) -> object:
        """Python counts True as 1."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("expected neither true nor false")
        return value


DEFAULT_MODELS = Path("models")


class ServerSettings(Group):
    """What is served, where, and by how many processes."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: Port = Field(default=50051, description="port to listen on; 0 takes a free one and prints it")
    models: Path = Field(
        default=DEFAULT_MODELS,
        description="folder of model folders NAME/VERSION; where there is no folder models, those of the package",
    )
    load: tuple[str, ...] = Field(
        default=(),
        description="models to serve, comma-separated: NAME for its latest version, or NAME/VERSION; "
        "where none is named, the latest version of each",
    )
    workers: int = Field(default=0, ge=0, description="processes that compute; 0 is one for each core")
    admin_port: Port | None = Field(default=None, description="port of administration, on loopback")
    metrics_port: Port | None = Field(default=None, description="port of Prometheus metrics and /healthz, on loopback")

    @property
    def models_folder(self) -> Path:
        """`models`, or that of the shipped ones where nobody said another and there is none."""
        return shipped_models() if self.models == DEFAULT_MODELS and not self.models.is_dir() else self.models

    grace_s: float = Field(
        default=5.0, ge=0, description="seconds that streams and calls have to end when the server stops"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="what is logged: debug, info, warning or error"
    )


class LimitSettings(Group):
    """How much clients may send and hold, and for how long."""

    # 34 s at 120 Hz: a client that sends a file far faster than real time is held back, a live one never notices
    credits: int = Field(
        default=4096,
        ge=1,
        le=2**31 - 1,
        description="frames of one stream that may wait to be computed; a faster sender is held back",
    )
    # the default of gRPC; a block of 4096 frames of 96 columns has 1.6 MB
    max_message_bytes: int = Field(default=4 << 20, ge=1024, description="largest message that is accepted")
    max_streams: int = Field(default=256, ge=1, description="streams that are live, or lost and waiting to be resumed")
    tenant_streams: int = Field(
        default=0, ge=0, description="streams of one tenant, counted likewise; 0 is no limit of its own"
    )
    connection_calls: int = Field(
        default=1024, ge=1, description="calls at a time on one connection; more of them wait"
    )
    tenant_frames_per_s: float = Field(
        default=0.0,
        ge=0,
        description="frames a second of one tenant, or of everybody where there are no tenants; "
        "a faster sender waits; 0 is no limit",
    )
    tenant_bytes_per_s: float = Field(default=0.0, ge=0, description="bytes of such frames a second, likewise")
    idle_timeout_s: float = Field(
        default=120.0, gt=0, description="seconds without a message after which a stream is closed"
    )
    resume_within_s: float = Field(
        default=300.0, ge=0, description="seconds that a lost stream waits in memory to be resumed"
    )


class StorageSettings(Group):
    """Where clusters, names and durable streams are kept, and for how long."""

    location: str = Field(
        default="motionscribe.sqlite",
        description="SQLite file of clusters, names and durable streams, or redis://HOST:PORT/DB",
    )
    keep_clusters_s: float = Field(
        default=0.0,
        ge=0,
        description="seconds that clusters and names are kept after the last use of their stream; 0 is for ever",
    )
    # the command line makes an id for each run
    keep_unnamed_s: float = Field(
        default=30 * 86400.0,
        ge=0,
        description="the same where no cluster of the stream ever had a name, and no anomaly a mark; 0 is for ever",
    )
    keep_checkpoints_s: float = Field(
        default=7 * 86400.0,
        ge=0,
        description="seconds that the checkpoint of a durable stream is kept after the last use of its stream",
    )
    exemplars: bool = Field(
        default=True,
        description="keep short clips of what clusters look like: poses of people, on the spot and without their size",
    )
    # 60 KB each where all have a dozen clusters
    tenant_ids: int = Field(
        default=10_000,
        ge=0,
        description="stream ids that are kept of one tenant, or of everybody where there are no tenants; "
        "a new one takes the place of the one without a name that was unused longest; 0 is no limit",
    )

    @field_validator("location", mode="before")
    @classmethod
    def _path_or_url(cls, value: object) -> object:
        text = str(value) if isinstance(value, Path) else value
        if isinstance(text, str):
            scheme_of(text)
        return text


class SecuritySettings(Group):
    """Who may call, over which connections, and which models are trusted."""

    plaintext: bool = Field(default=False, description="allow plaintext on an address other than loopback")
    tls_certificate: Path | None = Field(
        default=None, description="PEM file of the server's certificate chain; turns TLS on"
    )
    tls_key: Path | None = Field(default=None, description="PEM file of the key of that certificate")
    tls_clients: Path | None = Field(
        default=None, description="PEM file of authorities; every client must have a certificate of one"
    )
    tokens: Path | None = Field(
        default=None, description="TOML file of tenants; every call must bring the token of one"
    )
    audit: Path | None = Field(default=None, description="file to which a line of JSON is appended for every call")
    model_keys: Path | None = Field(
        default=None, description="PEM file of Ed25519 public keys; only models that one of them signed are served"
    )

    @model_validator(mode="after")
    def _tls_is_complete(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("expected tls_certificate and tls_key, got one of them")
        if self.tls_clients is not None and self.tls_certificate is None:
            raise ValueError("expected tls_certificate and tls_key with tls_clients, got neither")
        return self


class ModelSettings(Group):
    """How a worker computes a model."""

    variant: Literal["auto", "fp32", "int8"] = Field(
        default="auto", description="which graphs of a model run: auto, fp32 or int8"
    )
    # one: there is a worker for each core
    threads: int = Field(
        default=1, ge=0, description="threads of ONNX Runtime in a worker; 0 leaves it to ONNX Runtime"
    )
    # larger batches do not fit the cache of a core
    batch_sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(1, 4, 16),
        min_length=1,
        description="how many streams a worker computes together, comma-separated; a GPU takes hundreds",
    )

    @field_validator("batch_sizes", mode="after")
    @classmethod
    def _sort(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))


class Settings(BaseModel):
    """Everything a server can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: ServerSettings = ServerSettings()
    limits: LimitSettings = LimitSettings()
    storage: StorageSettings = StorageSettings()
    security: SecuritySettings = SecuritySettings()
    model: ModelSettings = ModelSettings()

    @model_validator(mode="after")
    def _plaintext_off_loopback_is_asked_for(self) -> Self:
        host, security = self.server.host, self.security
        if security.tls_certificate is None and not security.plaintext and not is_loopback(host):
            raise ValueError(
                f"expected a loopback address as server.host, got {host!r}, without security.tls_certificate: "
                "turn TLS on, or accept plaintext with --security-plaintext"
            )
        return self


def to_toml(settings: Settings, sources: Mapping[str, str]) -> str:
    """Settings as a TOML file that gives them again. The password in a URL is hidden.

    Each line ends with the source of its value where `sources` has it, by path ("server.port").
    """
    lines = ["# flags, then environment, then file, then defaults"]
    for group, values in settings.model_dump(mode="json").items():
        lines += ["", f"[{group}]"]
        for name, value in values.items():
            path = f"{group}.{name}"
            shown = PASSWORD.sub(r"\1***@", value) if path == "storage.location" else value
            text = f"# {name} is not set" if value is None else f"{name} = {json.dumps(shown)}"
            lines.append(f"{text}  # {sources[path]}" if path in sources else text)
    return "\n".join(lines) + "\n"
