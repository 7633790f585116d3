"""Makes MediaPipe's pose model from an older wheel of it, for tests that reach a package index and nothing else.

Releases up to 0.10.21 carry the two networks; newer ones read a bundle of both that says how images are normalised.

    python tests/support/mediapipe_model.py WHEEL MODEL.task        # where a newer mediapipe is installed
"""

import sys
import zipfile
from pathlib import Path

import flatbuffers
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
from mediapipe.tasks.metadata import schema_py_generated as tflite

NETWORKS = {
    "pose_detector.tflite": ("mediapipe/modules/pose_detection/pose_detection.tflite", 127.5, 127.5),
    "pose_landmarks_detector.tflite": ("mediapipe/modules/pose_landmark/pose_landmark_full.tflite", 0.0, 255.0),
}
"""Name in the bundle -> name in the wheel, and the mean and deviation by which pixels are normalised."""


def bundle(wheel: Path, model: Path) -> None:
    """Writes `model`."""
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(model, "w", zipfile.ZIP_STORED) as new:
        for name, (there, mean, deviation) in NETWORKS.items():
            new.writestr(name, with_normalisation(old.read(there), mean, deviation))


def with_normalisation(network: bytes, mean: float, deviation: float) -> bytes:
    """The same network with metadata of its input."""
    options = metadata.NormalizationOptionsT()
    options.mean, options.std = [mean], [deviation]
    unit = metadata.ProcessUnitT()
    unit.optionsType, unit.options = metadata.ProcessUnitOptions.NormalizationOptions, options
    image = metadata.ImagePropertiesT()
    image.colorSpace = metadata.ColorSpaceType.RGB
    content = metadata.ContentT()
    content.contentPropertiesType, content.contentProperties = metadata.ContentProperties.ImageProperties, image
    tensor = metadata.TensorMetadataT()
    tensor.name, tensor.processUnits, tensor.content = "image", [unit], content
    graph = metadata.SubGraphMetadataT()
    graph.inputTensorMetadata = [tensor]
    about = metadata.ModelMetadataT()
    about.subgraphMetadata = [graph]
    whole = tflite.ModelT.InitFromObj(tflite.Model.GetRootAsModel(network, 0))
    buffer, entry = tflite.BufferT(), tflite.MetadataT()
    buffer.data = packed(about, b"M001")
    entry.name, entry.buffer = b"TFLITE_METADATA", len(whole.buffers)
    whole.buffers.append(buffer)
    whole.metadata = [*(whole.metadata or []), entry]
    return packed(whole, b"TFL3")


def packed(value: "metadata.ModelMetadataT | tflite.ModelT", identifier: bytes) -> bytes:
    """As a flatbuffer."""
    builder = flatbuffers.Builder(0)
    builder.Finish(value.Pack(builder), identifier)
    return bytes(builder.Output())


if __name__ == "__main__":
    bundle(Path(sys.argv[1]), Path(sys.argv[2]))
