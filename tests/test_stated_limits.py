"""The limits that documents state are those of the code. That the server holds them is tested where each is held."""

import re
from pathlib import Path

import pytest

from motionscribe_models.manifest import MAX_SIZE
from motionscribe_server import command, server
from motionscribe_server.rpc import health
from motionscribe_server.rpc.limits import LIMITS, NAME, STREAM_ID, Entries
from motionscribe_server.session.anomaly.allowances import MARGIN
from motionscribe_server.session.anomaly.frozen import LONGEST_EXCUSED
from motionscribe_server.session.anomaly.score import Score
from motionscribe_server.session.anomaly_book import MOST, MOST_MARKED
from motionscribe_server.session.clustering.base import CAPACITY
from motionscribe_server.streams.event_backlog import MOST_UNACKNOWLEDGED
from motionscribe_server.streams.listeners import WATCHER_LIMIT

ROOT = Path(__file__).parents[1]
MERGED = LIMITS["MergeClustersRequest.sources"]

STATED = {
    "docs/3-serving.md": [
        f"Metadata of more than {server.METADATA_BYTES >> 10} KB",
        f"A request of more than {health.LONGEST_REQUEST} bytes ends with INVALID_ARGUMENT",
        f"{health.MOST_WATCHERS} watchers at a time",
        f"A client has {health.PATIENCE_S:g} seconds to ask and to read",
        f"If a drain takes more than {command.CLOSING_S:g} seconds beyond the grace",
        f"more than {WATCHER_LIMIT} events behind",
        f"of which {MOST_UNACKNOWLEDGED} events were not acknowledged",
        f"Names have at most {NAME.characters} characters, all of them visible",
        f"Stream ids have 1 to {STREAM_ID.characters} of",
        f"at most {MAX_SIZE} entries, each name at most {NAME.characters} characters; "
        f"one merge at most {CAPACITY} clusters",
        f"A stream keeps at most {CAPACITY} clusters",
        f"the newest {MOST} anomalies with what users said of them, at most {MOST_MARKED} of which may have",
    ],
    "docs/2-connecting.md": [f"the newest {MOST}: each as it was told last"],
    "docs/1-concepts.md": [
        f"half a standard deviation farther{'' if MARGIN == 0.5 else '?'}",
        f"a bound of six standard deviations{'' if Score.most_allowed == 6 else '?'}",
        f"for ten times as long{'' if LONGEST_EXCUSED == 10 else '?'}",
    ],
    "SECURITY.md": [
        f"requests of at most {health.LONGEST_REQUEST} bytes",
        f"at most {health.MOST_WATCHERS} watchers; {health.PATIENCE_S:g} seconds to ask and to read",
        f"keeps at most {CAPACITY} clusters beside those of its model",
    ],
}


@pytest.mark.parametrize(("document", "sentence"), [(name, text) for name, texts in STATED.items() for text in texts])
def test_a_document_states_the_limit_that_there_is(document: str, sentence: str) -> None:
    assert sentence in re.sub(r"\s+", " ", (ROOT / document).read_text("utf-8"))


def test_a_merge_takes_every_cluster_that_a_stream_keeps() -> None:
    assert Entries(CAPACITY) == MERGED
