"""The one table of addresses that frames come from: `lsl:NAME`, or FILE. Text goes in, a Source comes out.

The help of `motionscribe stream`, its parser and the table in docs/2-connecting.md follow from it. A new feed is a
module with a function that makes a Source from an address, and a line in SCHEMES.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name

from motionscribe.address_scheme import split_scheme
from motionscribe.sources.base import Source
from motionscribe.sources.finding import Found, find_by_listening
from motionscribe.sources.sending import Sender
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording


@dataclass(frozen=True)
class Scheme:
    """A kind of source, and what makes a Source from its address."""

    name: str
    """What stands before the colon; empty for files."""
    metavar: str
    """What the address is, as the help spells it."""
    help: str
    opener: str
    """`module:function`, imported when used: function(address, rate_hz) returns a Source."""
    extra: str = ""
    """The extra that it needs."""
    live: bool = True
    """Frames come when they are taken, so that no pace can be chosen."""
    sender: str = ""
    """`module:function`: function(recordings, address) returns the Sender that speaks the same; empty without one."""
    finder: str = ""
    """`module:function`: function(seconds) returns a list of Found: what of this kind is here."""
    usual: str = ""
    """The address where none is given: simulators send there, and where there is no finder somebody listens there."""

    @property
    def spelling(self) -> str:
        """Such as `lsl:NAME`."""
        return f"{self.name}:{self.metavar}" if self.name else self.metavar

    def open(self, address: str, rate_hz: float | None = None) -> Source:
        """Raises what the source raises: MissingExtraError without its extra, NotFound, RecordingError."""
        function: Callable[[str, float | None], Source] = resolve_name(self.opener)
        return function(address, rate_hz)

    def open_sender(self, recordings: Sequence[Recording], address: str) -> Sender:
        """What speaks this protocol for recordings of one person each. Raises what the sender raises."""
        function: Callable[[Sequence[Recording], str], Sender] = resolve_name(self.sender)
        return function(recordings, address)

    def find(self, seconds: float) -> Sequence[Found]:
        """What of this kind is sending here. Takes so long. Raises what the finder or opening raises."""
        if not self.finder:
            return find_by_listening(self.open, self.usual, seconds)
        function: Callable[[float], Sequence[Found]] = resolve_name(self.finder)
        return function(seconds)


FILE = Scheme("", "FILE", "a recording", "motionscribe.sources.recording:file_source", live=False)
SCHEMES: tuple[Scheme, ...] = (
    FILE,
    Scheme(
        *("lsl", "NAME", "a stream of Lab Streaming Layer", "motionscribe.sources.lsl:open_lsl"),
        extra="lsl",
        sender="motionscribe.sources.lsl_simulator:LslSender",
        usual="motionscribe",
        finder="motionscribe.sources.lsl_finder:find_lsl",
    ),
    Scheme(
        *("vmc", "[HOST:]PORT", "Virtual Motion Capture over UDP; port 39539 at `vmc:`"),
        "motionscribe.sources.vmc.feed:open_vmc",
        extra="osc",
        sender="motionscribe.sources.vmc.simulator:VmcSender",
        usual="39539",
    ),
    Scheme(
        *("udp", "[HOST:]PORT", "joints as JSON over UDP, a datagram a frame; port 5005 at `udp:`"),
        "motionscribe.sources.json_feeds.udp:open_udp",
        sender="motionscribe.sources.json_feeds.udp_simulator:UdpSender",
        usual="5005",
    ),
    Scheme(
        *("ws", "HOST:PORT[/PATH]", "joints as JSON from a WebSocket server, a message a frame"),
        "motionscribe.sources.json_feeds.websocket:open_ws",
        extra="websocket",
        sender="motionscribe.sources.json_feeds.websocket_simulator:WebSocketSender",
        usual="127.0.0.1:8765",
    ),
    Scheme(
        *("wss", "HOST[:PORT][/PATH]", "the same with TLS"),
        "motionscribe.sources.json_feeds.websocket:open_wss",
        extra="websocket",
    ),
    Scheme(
        *("mvn", "[HOST:]PORT", "Xsens MVN's network streamer, on UDP port 9763 where none is named"),
        "motionscribe.sources.mvn.reader:open_mvn",
        sender="motionscribe.sources.mvn.sender:MvnSender",
        usual="9763",
    ),
    Scheme(
        *("natnet", "SERVER", "people in OptiTrack Motive, by NatNet", "motionscribe.sources.natnet.feed:open_natnet"),
        sender="motionscribe.sources.natnet.simulator:NatNetSender",
        usual="127.0.0.1",
    ),
    Scheme(
        *("qtm", "HOST", "people in Qualisys Track Manager", "motionscribe.sources.qtm.feed:open_qtm"),
        sender="motionscribe.sources.qtm.simulator:QtmSender",
        usual="127.0.0.1",
    ),
    Scheme(
        *("camera", "NUMBER", "people before a camera, or in a video at `camera:FILE`"),
        "motionscribe.sources.camera:open_camera",
        extra="camera",
    ),
)


def describe(*, live: bool = False) -> str:
    """All kinds of sources, or those that are live, for the help of a command."""
    kinds = [s for s in SCHEMES if s.live or not live]
    return "; ".join(f"{s.spelling}: {s.help}" + (f" (needs the extra {s.extra})" if s.extra else "") for s in kinds)


def parse_address(text: str) -> tuple[Scheme, str]:
    """The scheme that `text` begins with and the rest; FILE and all of it where it is a path.

    Raises RecordingError for an unknown scheme, unless there is a file of that name.
    """
    split = split_scheme(text)
    if split is None:
        return FILE, text
    for scheme in SCHEMES:
        if scheme.name == split[0]:
            return scheme, split[1]
    if Path(text).exists():
        return FILE, text
    known = " or ".join(scheme.spelling for scheme in SCHEMES)
    raise RecordingError(f"{text}: expected {known}, got the unknown scheme {split[0]}: and no file of this name")


def senders() -> list[Scheme]:
    """Those that a simulator speaks."""
    return [scheme for scheme in SCHEMES if scheme.sender]


def parse_sender(text: str) -> tuple[Scheme, str] | None:
    """Which of `senders` a text such as `vmc` or `vmc:HOST:PORT` names, and the address there; None for another."""
    name, _, address = text.partition(":")
    return next(((scheme, address) for scheme in senders() if scheme.name == name), None)


def open_source(text: str, rate_hz: float | None = None) -> Source:
    """The source at an address such as `lsl:NAME` or a path; `rate_hz` overrides the rate of a file.

    Raises RecordingError for an unknown scheme or a file that is no recording, and what Scheme.open raises.
    """
    scheme, address = parse_address(text)
    return scheme.open(address, rate_hz)
