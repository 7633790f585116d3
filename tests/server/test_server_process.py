"""motionscribe-server as a process: what it prints, how it stops, and what it refuses to start with."""

import re
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import onnx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.models.test_signature import LAB, private, public
from tests.support.server_process import (
    COMMAND,
    are_gone,
    environment,
    serving_all,
    serving_process,
    workers_of,
)
from tests.support.serving import motion
from tests.support.waiting import wait_until

from motionscribe_models.manifest import read_manifest, write_manifest
from motionscribe_models.signature import sign
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_from_messages, frames_to_message, skeleton_to_message
from motionscribe_proto.events import ClusterCreated
from motionscribe_proto.segmentation_pb2_grpc import ClustersStub, SegmentationStub
from motionscribe_server.__main__ import main
from motionscribe_server.session.replay import blocks_of


def _requests(tiny_model: Path) -> Iterator[pb.StreamRequest]:
    skeleton = read_manifest(tiny_model).skeleton
    yield pb.StreamRequest(open=pb.Open(stream_id="lab", skeleton=skeleton_to_message(skeleton)))
    for block in blocks_of(motion(skeleton, 6), 60):
        yield pb.StreamRequest(frames=frames_to_message(block))
    yield pb.StreamRequest(close=pb.Close())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_prints_its_port_says_what_it_serves_and_drains(tiny_model: Path, tmp_path: Path, number: int) -> None:
    with serving_process(tmp_path, tiny_model, "--metrics-port", "0") as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            assert health.status == health_pb2.HealthCheckResponse.SERVING
            skeleton = skeleton_to_message(read_manifest(tiny_model).skeleton)
            opening = pb.StreamRequest(open=pb.Open(stream_id="lab", skeleton=skeleton))
            released = threading.Event()
            call = SegmentationStub(channel).Stream(_held(opening, released))
            assert next(call).opened.next_seq == 1
            (metrics,) = re.findall(r"http://127\.0\.0\.1:\d+/metrics", server.log.read_text())
            with urllib.request.urlopen(metrics, timeout=10) as page:
                assert b"motionscribe_streams 1.0" in page.read()
            server.process.send_signal(number)
            answers: list[pb.StreamResponse] = []
            with pytest.raises(grpc.RpcError) as caught:
                answers.extend(call)
            released.set()
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        server.process.communicate(timeout=30)
        assert server.process.returncode == 0
    log = server.log.read_text()
    manifest = read_manifest(tiny_model)
    assert re.search(rf"serving {manifest.name}/1 \w+ on CPUExecutionProvider.* at 127\.0\.0\.1:{server.port}\n", log)
    assert log.rstrip().endswith("drained")
    assert "Traceback" not in log
    assert "ERROR" not in log


def _held(request: pb.StreamRequest, released: threading.Event) -> Iterator[pb.StreamRequest]:
    """One request, then a call that is left open."""
    yield request
    released.wait(30)


def test_a_name_survives_a_killed_server(tiny_model: Path, tmp_path: Path) -> None:
    with serving_process(tmp_path, tiny_model) as server, grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        responses = list(SegmentationStub(channel).Stream(_requests(tiny_model)))
        events = [event for response in responses for event in events_from_messages(response.update.events)]
        born = next(event.cluster for event in events if isinstance(event, ClusterCreated))
        ClustersStub(channel).RenameCluster(pb.RenameClusterRequest(stream_id="lab", id=born, name="jab"))
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
    with serving_process(tmp_path, tiny_model) as server, grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        described = ClustersStub(channel).DescribeCluster(pb.DescribeClusterRequest(stream_id="lab", id=born))
        assert described.name == "jab"


def test_the_serving_process_does_without_onnx_runtime(tiny_model: Path, tmp_path: Path) -> None:
    """Only its workers load it."""
    program = """if True:
        import sys
        from motionscribe_server.__main__ import main
        status = main(sys.argv[1:])
        print(sorted(name for name in sys.modules if name.startswith("onnxruntime")))
        sys.exit(status)
    """
    flags = ["--models", str(tiny_model.parent.parent), "--port", "0", "--workers", "1"]
    with subprocess.Popen(
        [sys.executable, "-c", program, *flags], stdout=subprocess.PIPE, cwd=tmp_path, env=environment(), text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("listening on ")
        server.terminate()
        said, _ = server.communicate(timeout=30)
    assert (server.returncode, said) == (0, "[]\n")


def _run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_config_show_prints_toml_with_the_source_of_each_setting(tmp_path: Path) -> None:
    (tmp_path / "motionscribe.toml").write_text("[limits]\ncredits = 100\n")
    shown = _run(tmp_path, "config", "show", "--port", "7", "--security-plaintext", MOTIONSCRIBE_MODEL_THREADS="2")
    assert shown.returncode == 0, shown.stderr
    values = tomllib.loads(shown.stdout)
    assert (values["server"]["port"], values["limits"]["credits"]) == (7, 100)
    assert (values["model"]["threads"], values["security"]["plaintext"]) == (2, True)
    lines = shown.stdout.splitlines()
    assert "port = 7  # --port" in lines
    assert "credits = 100  # motionscribe.toml" in lines
    assert "threads = 2  # MOTIONSCRIBE_MODEL_THREADS" in lines
    assert 'host = "127.0.0.1"  # default' in lines


@pytest.fixture(scope="module")
def tampered(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the models folder with one bit of a graph turned over."""
    models = tmp_path_factory.mktemp("tampered")
    folder = models / tiny_model.parent.name / tiny_model.name
    shutil.copytree(tiny_model, folder)
    raw = bytearray((folder / "encoder.onnx").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "encoder.onnx").write_bytes(raw)
    return models


REFUSED = {
    "plaintext off loopback": (["--host", "0.0.0.0"], "expected a loopback address as server.host"),
    "absent model": (["--load", "none"], "no model 'none'"),
    "absent version": (["--load", "{name}/77"], "no version '77'"),
    "no models": (["--models", "nowhere"], "expected a folder of models"),
    "foreign store": (["--storage-location", "foreign"], "expected a SQLite file of motionscribe"),
    "wrong value": (["--port", "many"], r"server\.port \(from --port\)"),
    "wrong word": (["config", "hide"], "expected no command, 'config show' or 'token TENANT', got 'config hide'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses_what_it_cannot_serve(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    arguments, expected = REFUSED[what]
    monkeypatch.chdir(tmp_path)
    Path("foreign").write_bytes(b"no database" * 1000)
    named = [argument.replace("{name}", tiny_model.parent.name) for argument in arguments]
    words, flags = ([], named) if named[0].startswith("-") else (named, [])
    assert (
        main([*words, "--models", str(tiny_model.parent.parent), "--model-batch-sizes", "1", "--port", "0", *flags])
        == 2
    )
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("motionscribe-server: ")
    assert said.err.count("\n") == 1
    assert re.search(expected, said.err), said.err


def test_a_tampered_model_is_not_served(tampered: Path, tmp_path: Path) -> None:
    refused = _run(tmp_path, "--models", str(tampered), "--port", "0")
    assert refused.returncode == 2
    assert re.fullmatch(r"motionscribe-server: .*encoder\.onnx: expected SHA-256 \w+, got \w+\n", refused.stderr)


@pytest.fixture
def neighbours(tiny_model: Path, tmp_path: Path) -> Path:
    """A folder with the shipped model and, under another name, one with a graph of an operator of nobody's."""
    models = tmp_path / "models"
    shutil.copytree(tiny_model, models / tiny_model.parent.name / "1")
    guest = Path(shutil.copytree(tiny_model, models / "guest" / "1"))
    graph = onnx.load_from_string((guest / "encoder.onnx").read_bytes())
    graph.graph.node.append(onnx.helper.make_node("Trap", ["x"], ["t"], domain="trap"))
    (guest / "encoder.onnx").write_bytes(graph.SerializeToString())
    write_manifest(guest, replace(read_manifest(guest), name="guest"))
    return models


def test_a_hostile_model_is_named_and_nothing_is_served_beside_it(neighbours: Path, tmp_path: Path) -> None:
    refused = _run(tmp_path, "--models", str(neighbours), "--port", "0")
    assert (refused.returncode, refused.stdout) == (2, "")
    expected = "expected operators of the ONNX standard, got 'Trap' of 'trap'"
    assert refused.stderr == f"motionscribe-server: {neighbours / 'guest' / '1' / 'encoder.onnx'}: {expected}\n"


def test_a_hostile_model_that_is_not_asked_for_hurts_nobody(neighbours: Path, tiny_model: Path, tmp_path: Path) -> None:
    with serving_all(tmp_path, neighbours, "--load", tiny_model.parent.name) as server:
        assert server.end() == 0


def test_with_keys_only_signed_models_are_served(neighbours: Path, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "lab.key").write_bytes(private(LAB))
    (tmp_path / "keys.pem").write_bytes(public(LAB))
    flags = ["--load", tiny_model.parent.name, "--security-model-keys", str(tmp_path / "keys.pem")]
    refused = _run(tmp_path, "--models", str(neighbours), "--port", "0", *flags)
    assert refused.returncode == 2
    assert "expected a signature of its manifest, manifest.json.sig, got none" in refused.stderr
    sign(neighbours / tiny_model.parent.name / "1", tmp_path / "lab.key")
    with serving_all(tmp_path, neighbours, *flags) as server:
        assert server.end() == 0


def test_a_port_that_is_taken_is_an_error(tiny_model: Path, tmp_path: Path) -> None:
    with serving_process(tmp_path, tiny_model) as server:
        refused = _run(tmp_path, "--models", str(tiny_model.parent.parent), "--port", str(server.port))
        assert refused.returncode == 2
        assert f"expected an address that is free, got 127.0.0.1:{server.port}" in refused.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_doctor_leaves_nobody_behind(tiny_model: Path, tmp_path: Path, how: signal.Signals) -> None:
    flags = ["--doctor", "--workers", "2", "--models", str(tiny_model.parent.parent)]
    doctor = subprocess.Popen([*COMMAND, *flags], cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
    # two workers, and what watches over the resources of all
    wait_until(lambda: len(workers_of(doctor.pid)) >= 3)
    workers = workers_of(doctor.pid)
    doctor.send_signal(how)
    doctor.wait()
    wait_until(lambda: are_gone(workers))


def test_the_doctor_says_what_runs_and_how_much_of_it(tiny_model: Path, tmp_path: Path) -> None:
    models = str(tiny_model.parent.parent)
    done = _run(tmp_path, "--doctor", "--models", models, "--workers", "1", "--model-batch-sizes", "4")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^processor +.+ cores", done.stdout, re.MULTILINE)
    assert re.search(r"^model +cmu-expmap/1 (int8|fp32) on CPUExecutionProvider", done.stdout, re.MULTILINE)
    found = re.search(r"about (\d+) live streams", done.stdout)
    assert found is not None
    assert int(found[1]) >= 1
    assert list(tmp_path.iterdir()) == []
