"""People before a camera or in a video: each is a source of frames of its own.

images.py reads images, estimator.py says what finds people in them, tracker.py who is who, people.py makes sources.
"""

from motionscribe.sources.camera.estimator import Estimator, Person
from motionscribe.sources.camera.people import CameraSource, open_camera

__all__ = ["CameraSource", "Estimator", "Person", "open_camera"]
