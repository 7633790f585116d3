"""What happens to the frames of one stream: a core without network, clock, log or randomness. Frames in, events out.

A frame's way, file by file:

    frame_checks  a block is checked: values that a pose can have, times that increase
    intake        cut at gaps, put on the model's time grid; features of each grid point;
                  anomaly/sensed: what the sensors said
    steps         what the encoder must do with each of them; Engine is what computes
                  ... here the states leave the session, to be computed for many at once (engine/inference.py)
    moment        a stride of frames, and the window that ends with them:
                  evidence (models' pooling) -> embedding; prediction_error against what came
    labelling     moments to events:
      alarms        anomaly/: faults of sensors and of motion, and behaviour that nobody has shown
      segmenter     the timeline cut into segments, the newest seconds again and again
      labeller      segments to clusters; clustering/ learns them once they are old
      provisional   labels that may still change, with their stability
      final_labels  labels that never change; timeline makes segments of them, cluster_counts counts

`Session` (session.py) owns this for one stream; `Driver` (drive.py) puts one session through one engine, `replay` a
whole recording. `ServedModel` (model.py) is what all sessions of a model read. edits.py is what users change,
anomaly_book.py what is kept of anomalies, snapshot.py stores a session.

Two habits of all parts:

Many at once. A few rows cost as much to compute as one, so what is arithmetic is done for many streams of one model in
one call, and no bit of an answer depends on who else is in it. Such a call is a class method over many instances of its
class and is called `..._many`: it gathers a row of each instance, computes once, and hands each instance its own
result. The rows come and go through private methods of one instance (`cls._take(part)`), so that an instance's
attributes are touched by its class alone.

States. What remembers something has `state()` and `restore(state)`; motionscribe_models/state.py has the rules.
"""

from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.edits import Edit, Mark, Merge, Rename
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.moment import Moment
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.session import Session
from motionscribe_server.session.steps import EncoderStates, Engine, Step, WindowStates

__all__ = [
    "CheckedBlock",
    "ClusterState",
    "Driver",
    "Edit",
    "EncoderStates",
    "Engine",
    "Mark",
    "Merge",
    "Moment",
    "Rename",
    "ServedModel",
    "Session",
    "SessionOptions",
    "Step",
    "WindowStates",
]
