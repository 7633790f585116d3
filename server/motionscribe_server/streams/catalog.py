"""The models that this server has loaded and checked, found by name and version.

In: a folder of model folders, which of them to load, and how workers run them. Out: what streams ask for, found.
Reading takes a moment and blocks; it happens before the server listens, or in a thread.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from motionscribe_models.body.mapping import body_of
from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.errors import UnknownModelError
from motionscribe_models.lags import LAGS, Lag
from motionscribe_models.manifest import Manifest
from motionscribe_models.repository import Repository
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_to_message
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

    @property
    def takes_any_body(self) -> bool:
        """Frames of other skeletons are mapped to its own (frame_layout.py)."""
        return self.manifest.skeleton.representation in (BODY.representation, BODY2D.representation)

    def latency_us(self, lag: Lag) -> int:
        """Source time between a moment and its final label, microseconds."""
        return round(self.served.latency(lag) * self.served.moment_s * 1e6)

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

    def find(self, name: str, version: str, representation: str = "") -> LoadedModel:
        """A model; an empty version or "latest" is the highest.

        An empty name is the only model there is, or the only one that takes any skeleton of this `representation`: of
        places in an image, or of others.
        """
        names = sorted({model.manifest.name for model in self.models})
        if not name:
            body = body_of(representation).representation
            any_body = sorted({m.manifest.name for m in self.models if m.manifest.skeleton.representation == body})
            for alone in (names, any_body):
                name = name or (alone[0] if len(alone) == 1 else "")
            if not name:
                raise PreconditionError(f"expected the name of a model, one of {', '.join(names)}, got none")
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
    repository = Repository(settings.server.models_folder, settings.security.model_keys)
    wanted = settings.server.load or tuple(repository.names())
    if not wanted:
        raise SettingsError(f"expected at least one model below {settings.server.models_folder.resolve()}, got none")
    models: dict[str, ServedModel] = {}
    for entry in wanted:
        name, _, version = entry.partition("/")
        model = ServedModel(repository.load(name, version or "latest"))
        models[model.key] = model
    return list(models.values())
