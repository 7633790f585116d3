"""A scripted server for streams of any one skeleton: it keeps their frames, and labels each of them 1."""

from tests.support.scripted_server import ScriptedServer, ServerSession

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_from_message, skeleton_from_message
from motionscribe_proto.events import Label
from motionscribe_proto.frames import FrameBlock


class AnyWidthServer(ScriptedServer):
    """All streams must have the skeleton of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: dict[str, list[FrameBlock]] = {}
        """By the token of the session."""

    def _receive(self, session: ServerSession, message: pb.Frames) -> int:
        skeleton = skeleton_from_message(self.opens[0].skeleton)
        block = frames_from_message(message, skeleton.width, len(skeleton.joints))
        assert block.first_seq > session.received_seq, "frames came twice"
        self.frames.setdefault(session.token, []).append(block)
        session.allowance -= len(block)
        for row, time_us in enumerate(block.timestamps_us.tolist()):
            seq = block.first_seq + row
            session.events.append(Label(seq, seq + 1, time_us, time_us + 1, 1, 1.0, True))
        session.received_seq = block.next_seq - 1
        return len(block)
