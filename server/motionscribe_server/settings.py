"""The server's settings: one frozen value, from flags, environment, a TOML file and defaults, in this order.

In: flags as a mapping, MOTIONSCRIBE_* of the environment, --config FILE or ./motionscribe.toml. Out: Settings, and
where each value came from. Raises SettingsError before anything is served. It does not open ports, models or stores.
"""

import difflib
import ipaddress
import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from motionscribe_server.errors import SettingsError
from motionscribe_server.storage.store import REDIS

PREFIX = "MOTIONSCRIBE_"
DEFAULT_FILE = Path("motionscribe.toml")

PASSWORD = re.compile(r"^(\w+://[^/]*?:?)[^/:]*@")

Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """Everything a server can be told. Descriptions are the help of the flags."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: Port = Field(50051, description="port to listen on; 0 takes a free one and prints it")
    insecure: bool = Field(False, description="allow plaintext on an address other than loopback")
    tls_certificate: Path | None = Field(None, description="PEM file of the server's certificate chain; turns TLS on")
    tls_key: Path | None = Field(None, description="PEM file of its key")
    tls_clients: Path | None = Field(
        None, description="PEM file of authorities; clients must have a certificate of one"
    )
    tokens: Path | None = Field(None, description="TOML file of tenants; every call must bring the token of one")
    audit: Path | None = Field(None, description="file to which a line of JSON is appended for every call")
    models: Path = Field(Path("models"), description="folder of model folders <name>/<version>")
    model_keys: Path | None = Field(
        None, description="PEM file of Ed25519 public keys; only models that one of them signed are served"
    )
    load: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="models to serve, NAME or NAME/VERSION, comma-separated; empty: the latest version of each"
    )
    variant: Literal["auto", "fp32", "int8"] = Field("auto", description="which graphs of a model run")
    workers: int = Field(0, ge=0, description="processes that compute; 0 is one for each core")
    # one: there is a worker for each core
    threads: int = Field(1, ge=0, description="threads of ONNX Runtime in a worker; 0 leaves it to ONNX Runtime")
    # larger batches do not fit the cache of a core; a GPU takes hundreds
    batch_sizes: Annotated[tuple[Annotated[int, Field(ge=1)], ...], NoDecode] = Field(
        (1, 4, 16), min_length=1, description="streams that are computed together, comma-separated sizes"
    )
    # 34 s at 120 Hz: a client that sends a file far faster than real time is held back, a live one never notices
    credits: int = Field(4096, ge=1, description="frames of one stream that may wait to be computed")
    # the default of gRPC; a block of 4096 frames of 96 columns has 1.6 MB
    max_message_bytes: int = Field(4 << 20, ge=1024, description="largest message that is accepted")
    max_streams: int = Field(256, ge=1, description="streams that are live or retained at a time")
    tenant_streams: int = Field(0, ge=0, description="the same for one tenant; 0 is no limit of its own")
    connection_calls: int = Field(1024, ge=1, description="calls at a time on one connection; more wait")
    tenant_frames_s: float = Field(
        0.0, ge=0, description="frames a second of one tenant; a faster one waits; 0 is no limit"
    )
    tenant_bytes_s: float = Field(0.0, ge=0, description="bytes of frames a second of one tenant; 0 is no limit")
    retention_s: float = Field(300.0, ge=0, description="seconds that a lost stream waits to be resumed")
    stream_retention_s: float = Field(
        0.0, ge=0, description="seconds that clusters and names are kept after they last changed; 0 is for ever"
    )
    checkpoint_retention_s: float = Field(
        7 * 86400.0, ge=0, description="seconds that the checkpoint of a durable stream is kept after its last frames"
    )
    idle_timeout_s: float = Field(120.0, gt=0, description="seconds without a message after which a stream is closed")
    grace_s: float = Field(5.0, ge=0, description="seconds that calls have to end when the server stops")
    admin_port: Port | None = Field(None, description="port of the service Admin on loopback; none by default")
    metrics_port: Port | None = Field(None, description="port of Prometheus metrics on loopback; none by default")
    store: str = Field(
        "motionscribe.sqlite", description="SQLite file of clusters, names and durable streams, or redis://HOST:PORT/DB"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is logged")

    @field_validator("load", "batch_sizes", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Flags and variables list values with commas."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("store", mode="before")
    @classmethod
    def _path_or_url(cls, value: object) -> object:
        text = str(value) if isinstance(value, Path) else value
        if isinstance(text, str) and "://" in text and not text.startswith(REDIS):
            raise ValueError(f"expected a path or a URL of {' or '.join(REDIS)}")
        return text

    @field_validator("batch_sizes", mode="after")
    @classmethod
    def _sort(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("expected tls_certificate and tls_key, got one of them")
        if self.tls_clients is not None and self.tls_certificate is None:
            raise ValueError("expected tls_certificate and tls_key with tls_clients, got neither")
        return self

    @model_validator(mode="after")
    def _loopback_or_told(self) -> Self:
        if self.tls_certificate is None and not self.insecure and not is_loopback(self.host):
            raise ValueError(
                f"expected a loopback address as host, got {self.host!r}, without tls_certificate: "
                "turn TLS on, or accept plaintext with --insecure"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Strongest first."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def is_loopback(host: str) -> bool:
    """True for addresses that only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_settings(flags: Mapping[str, Any], config: Path | None = None) -> tuple[Settings, dict[str, str]]:
    """Effective settings, and the source of each ("--port", "MOTIONSCRIBE_PORT", the file's path or "default").

    `flags` holds only what was given. Without `config`, ./motionscribe.toml is read if it is there. Raises
    SettingsError.
    """
    file = config or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)

    class Layered(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        if file is not None and not file.is_file():
            raise SettingsError(f"expected a TOML file, got {file}, which is not there")
        in_file = TomlConfigSettingsSource(Layered)()
        sources = {name: _source(name, flags, in_file, str(file)) for name in Settings.model_fields}
        return Layered(**flags), sources
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: expected TOML: {error}") from error
    except ValidationError as error:
        unknown = {name: _source(name, flags, in_file, str(file)) for name in in_file | dict(flags)}
        raise SettingsError("; ".join(_complaints(error, unknown | sources))) from error


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """MOTIONSCRIBE_* that no setting reads, each with the nearest one; they may be other programs', so no error."""
    # the client's and the trainer's are set beside ours
    known = [PREFIX + name.upper() for name in (*Settings.model_fields, "address", "data", "token")]
    unknown = [key for key in environment if key.upper().startswith(PREFIX) and key.upper() not in known]
    return [
        f"{key} is no setting of the server"
        + "".join(f"; is it {near}?" for near in difflib.get_close_matches(key, known, 1))
        for key in sorted(unknown)
    ]


def to_toml(settings: Settings, sources: Mapping[str, str]) -> str:
    """Settings as a TOML file that gives them again; each line says where its value came from, where that is known.

    A password in a URL is not told.
    """
    lines = ["# flags, then environment, then file, then defaults"]
    for name, value in settings.model_dump(mode="json").items():
        shown = PASSWORD.sub(r"\1***@", value) if name == "store" else value
        text = f"# {name} is not set" if value is None else f"{name} = {json.dumps(shown)}"
        lines.append(f"{text}  # {sources[name]}" if name in sources else text)
    return "\n".join(lines) + "\n"


def _source(name: str, flags: Mapping[str, Any], in_file: Mapping[str, Any], file: str) -> str:
    variable = PREFIX + name.upper()
    if name in flags:
        return "--" + name.replace("_", "-")
    if any(key.upper() == variable and value for key, value in os.environ.items()):
        return variable
    return file if name in in_file else "default"


def _complaints(error: ValidationError, sources: Mapping[str, str]) -> list[str]:
    """One line a wrong value: name, source, what was expected and what came."""
    lines = []
    for problem in error.errors(include_url=False):
        if not problem["loc"]:
            lines.append(str(problem["ctx"]["error"]))
            continue
        name = str(problem["loc"][0])
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(name, Settings.model_fields, 1)
            lines.append(f"{name} (from {sources[name]}) is no setting" + "".join(f"; is it {n}?" for n in near))
        else:
            lines.append(f"{name} (from {sources[name]}): {problem['msg']}, got {problem['input']!r}")
    return lines
