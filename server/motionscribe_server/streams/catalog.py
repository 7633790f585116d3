"""The models that this server has loaded and checked, found by name and version.

In: a folder of model folders, which of them to load, and how workers run them. Out: what streams ask for, found.
Reading takes a moment and blocks; it happens before the server listens, or in a thread.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from motionscribe_models.errors import UnknownModelError
from motionscribe_models.lags import LAGS, Lag
from motionscribe_models.manifest import Manifest
from motionscribe_models.repository import Repository
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_from_message, skeleton_to_message
from motionscribe_proto.frames import Layout
from motionscribe_server.engine.messages import EngineInfo
from motionscribe_server.errors import PreconditionError, SettingsError
from motionscribe_server.session.model import ServedModel
from motionscribe_server.settings import Settings

LATEST = ("", "latest")


@dataclass(frozen=True)
class LoadedModel:
    """One model version, and how the workers run it."""

    served: ServedModel
    engine: EngineInfo

    @property
    def manifest(self) -> Manifest:
        """What the model folder says."""
        return self.served.manifest

    @property
    def key(self) -> str:
        """name/version."""
        return self.served.key

    def latency_us(self, lag: Lag) -> int:
        """Source time between a moment and its final label, microseconds."""
        return round(self.served.latency(lag) * self.served.moment_s * 1e6)

    def check_layout(self, request: pb.Open) -> None:
        """Raises PreconditionError unless the frames that `request` announces have the model's columns."""
        skeleton = self.manifest.skeleton
        match request.WhichOneof("layout"):
            case "skeleton":
                layout = skeleton_from_message(request.skeleton)
                what = "columns" if skeleton.representation == "features" else "joints"
                _check_same(self.key, what, skeleton.joints, layout.joints)
                if layout.representation != skeleton.representation:
                    raise PreconditionError(
                        f"{self.key}: expected representation {skeleton.representation!r}, "
                        f"got {layout.representation!r}"
                    )
                _check_tree(self.key, skeleton.parents, layout)
            case "features":
                _check_same(self.key, "columns", skeleton.columns, tuple(request.features.names))
            case _:
                raise PreconditionError(
                    f"{self.key}: expected a skeleton of {len(skeleton.joints)} joints ({skeleton.representation}) "
                    f"or {skeleton.width} column names, got neither"
                )

    def to_message(self) -> pb.Model:
        """As Describe answers."""
        manifest = self.manifest
        return pb.Model(
            name=manifest.name,
            version=manifest.version,
            skeleton=skeleton_to_message(manifest.skeleton),
            columns=manifest.skeleton.columns,
            rate_hz=manifest.rate_hz,
            window=manifest.window,
            stride=manifest.stride,
            latency_us={lag: self.latency_us(lag) for lag in LAGS},
            hidden=manifest.hidden,
            projected=manifest.projected,
            variant=self.engine.variant,
            provider=self.engine.provider,
            metrics=manifest.metrics,
            description=manifest.description,
        )


class Catalog:
    """Loaded models. Raises UnknownModelError and PreconditionError with what there is instead."""

    def __init__(self, models: Iterable[LoadedModel]) -> None:
        self.replace(models)

    def replace(self, models: Iterable[LoadedModel]) -> None:
        """What is served from now on."""
        self.models = tuple(sorted(models, key=lambda model: (model.manifest.name, int(model.manifest.version))))

    def find(self, name: str, version: str) -> LoadedModel:
        """A model; an empty name is the only model there is, an empty version or "latest" the highest."""
        names = sorted({model.manifest.name for model in self.models})
        if not name:
            if len(names) != 1:
                raise PreconditionError(f"expected the name of a model, one of {', '.join(names)}, got none")
            name = names[0]
        found = [model for model in self.models if model.manifest.name == name]
        if not found:
            raise UnknownModelError(f"expected one of the models {', '.join(names)}, got {name!r}")
        if version in LATEST:
            return found[-1]
        for model in found:
            if model.manifest.version == version:
                return model
        versions = ", ".join(model.manifest.version for model in found)
        raise UnknownModelError(f"expected a version of {name} among {versions}, got {version!r}")


def read_models(settings: Settings) -> list[ServedModel]:
    """The models that `settings` ask for, checked. Raises UnknownModelError, ModelFolderError, SettingsError."""
    repository = Repository(settings.server.models, settings.security.model_keys)
    wanted = settings.server.load or tuple(repository.names())
    if not wanted:
        raise SettingsError(f"expected at least one model below {settings.server.models.resolve()}, got none")
    models: dict[str, ServedModel] = {}
    for entry in wanted:
        name, _, version = entry.partition("/")
        model = ServedModel(repository.load(name, version or "latest"))
        models[model.key] = model
    return list(models.values())


def _check_same(key: str, what: str, expected: tuple[str, ...], got: tuple[str, ...]) -> None:
    if len(expected) != len(got):
        more, less = [name for name in got if name not in expected], [name for name in expected if name not in got]
        differ = "; ".join(
            f"{kind}: {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}"
            for kind, names in (("not expected", more), ("missing", less))
            if names
        )
        raise PreconditionError(f"{key}: expected {len(expected)} {what}, got {len(got)}{differ and f' ({differ})'}")
    for position, (mine, its) in enumerate(zip(expected, got, strict=True)):
        if mine != its:
            raise PreconditionError(f"{key}: expected {mine!r} at position {position} of the {what}, got {its!r}")


def _check_tree(key: str, expected: tuple[int, ...], layout: Layout) -> None:
    for joint, mine, its in zip(layout.joints, expected, layout.parents, strict=True):
        if mine != its:
            raise PreconditionError(f"{key}: expected parent {mine} of joint {joint!r}, got {its}")
