"""Who may call, and what of the server is whose: a real server with TLS and tokens, and clients with and without."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from tests.support.caller import Caller
from tests.support.serving import motion, serving
from tests.support.waiting import until

from motionscribe import Client
from motionscribe.errors import ConnectionFailed, NotAllowed
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import ClustersStub, ModelsStub, SegmentationStub
from motionscribe_server.access.tenants import new_token, read_tenants
from motionscribe_server.errors import SettingsError, UnauthenticatedError
from motionscribe_server.stream_keys import digest, id_of, key_of, tenant_of

Code = grpc.StatusCode
LAB, GYM = "lab-secret", "gym-secret"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """The file of two tenants."""
    file = tmp_path / "tokens.toml"
    file.write_text(f'lab = "{digest(LAB)}"\ngym = "{digest(GYM)}"\n')
    return file


def bearer(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]


# -- tokens


def test_a_token_is_its_tenants_and_nobody_elses(tokens: Path) -> None:
    access = read_tenants(tokens)
    assert access.tenant(bearer(LAB)) == "lab"
    assert access.tenant([("user-agent", "x"), *bearer(GYM)]) == "gym"
    for metadata in ([], bearer(""), bearer(LAB + "x"), bearer(digest(LAB)), [("authorization", LAB)]):
        with pytest.raises(UnauthenticatedError):
            access.tenant(metadata)
    with pytest.raises(UnauthenticatedError, match="got none"):
        access.tenant(bearer(LAB) + bearer(GYM))


def test_without_a_file_everybody_is_one_tenant() -> None:
    assert read_tenants(None).tenant([]) == ""
    assert key_of("", "walk") == "walk"


@given(st.sampled_from(["", "lab", "gym", "a.b"]), st.sampled_from(["lab", "gym", "a.b"]), st.text(), st.text())
def test_no_id_reaches_into_another_tenant(one: str, other: str, mine: str, its: str) -> None:
    key = key_of(one or "x", mine)
    assert tenant_of(key) == (one or "x")
    if (one or "x") != other:
        assert key != key_of(other, its)


def test_a_key_says_tenant_and_id() -> None:
    assert (tenant_of("lab/walk"), id_of("lab/walk"), tenant_of("walk"), id_of("walk")) == ("lab", "walk", "", "walk")
    assert len(new_token()) >= 43
    assert new_token() != new_token()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a tenant or more"),
        ("lab", "a TOML file"),
        ('lab = "abc"', "64 hexadecimal digits"),
        ('"a/b" = "' + 64 * "0" + '"', "got 'a/b'"),
        (f'a = "{64 * "0"}"\nb = "{64 * "0"}"', "got one for several"),
    ],
)
def test_a_bad_file_of_tokens_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "tokens.toml").write_text(text)
    with pytest.raises(SettingsError, match=expected):
        read_tenants(tmp_path / "tokens.toml")
    with pytest.raises(SettingsError, match="not-there"):
        read_tenants(tmp_path / "not-there")


# -- a server with tenants


def test_a_stranger_who_says_nothing_is_turned_away_at_once(tiny_model: Path, tmp_path: Path, tokens: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, security={"tokens": tokens}) as served:
            call = SegmentationStub(served.channel).Stream()
            with pytest.raises(grpc.aio.AioRpcError, match="expected a bearer token"):
                await asyncio.wait_for(call.read(), 5)
            assert served.counted("motionscribe_errors_total", status="UNAUTHENTICATED") == 1

    asyncio.run(run())


def test_two_tenants_have_a_stream_of_the_same_id(tiny_model: Path, tmp_path: Path, tokens: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, security={"tokens": tokens}) as served:
            clusters, segmentation = ClustersStub(served.channel), SegmentationStub(served.channel)
            mine = Caller(segmentation.Stream(metadata=bearer(LAB)), served.skeleton)
            await mine.open("walk")
            await mine.send(motion(served.skeleton, 4))
            for stranger in ("lab/walk", "../lab/walk"):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await clusters.ListClusters(pb.ListClustersRequest(stream_id=stranger), metadata=bearer(GYM))
                assert caught.value.code() == Code.NOT_FOUND
            # the same id, a stream of their own; a stolen resume token opens nothing
            other = Caller(segmentation.Stream(metadata=bearer(GYM)), served.skeleton)
            opened = await other.open("walk", resume_token=mine.opened.resume_token)
            assert not opened.resumed
            assert opened.next_seq == 1
            await other.finish()
            await mine.finish()
            names = await clusters.ListClusters(pb.ListClustersRequest(stream_id="walk"), metadata=bearer(LAB))
            assert names.clusters

    asyncio.run(run())


def test_a_tenant_has_its_own_places_and_takes_nobody_elses(tiny_model: Path, tmp_path: Path, tokens: Path) -> None:
    async def run() -> None:
        async with serving(
            tiny_model, tmp_path, security={"tokens": tokens}, limits={"tenant_streams": 2, "max_streams": 3}
        ) as served:
            segmentation = SegmentationStub(served.channel)

            async def opened(token: str, id: str) -> Caller:
                caller = Caller(segmentation.Stream(metadata=bearer(token)), served.skeleton)
                await caller.open(id)
                return caller

            lost = await opened(GYM, "a")
            lost.call.cancel()
            await served.lost("gym/a")
            _kept = [await opened(LAB, id) for id in ("a", "b")]
            with pytest.raises(grpc.aio.AioRpcError, match="expected at most 2 live streams") as caught:
                await opened(LAB, "c")
            assert caught.value.code() == Code.RESOURCE_EXHAUSTED
            assert served.server.registry.find("gym/a") is not None
            _more = await opened(GYM, "b")  # its own lost stream makes room
            await until(lambda: served.server.registry.find("gym/a") is None)

    asyncio.run(run())


# -- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificates of an authority, of a server and of a client."""
    ca, folder = trustme.CA(), tmp_path_factory.mktemp("pem")
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name in ("localhost", "camera"):
        issued = ca.issue_cert(name)
        issued.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(folder / f"{name}.pem"), append=True)
    return folder


def test_tls_with_tokens_carries_the_client(tiny_model: Path, tmp_path: Path, tokens: Path, authority: Path) -> None:
    folder = authority
    secrets = {"tls_certificate": folder / "localhost.pem", "tls_key": folder / "localhost.key", "tokens": tokens}

    def ask(port: int, token: str | None) -> list[str]:
        credentials = grpc.ssl_channel_credentials((folder / "ca.pem").read_bytes())
        with Client(f"localhost:{port}", credentials=credentials, token=token) as client:
            return [model.name for model in client.models()]

    async def run() -> None:
        async with serving(tiny_model, tmp_path, security=secrets) as served:
            assert await asyncio.to_thread(ask, served.server.port, LAB) == ["cmu-expmap"]
            with pytest.raises(NotAllowed, match="expected a token of this server"):
                await asyncio.to_thread(ask, served.server.port, "guess")
            plain = ModelsStub(served.channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await plain.ListModels(pb.ListModelsRequest(), timeout=5)
            assert caught.value.code() in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED)

    asyncio.run(run())


def test_mutual_tls_wants_a_certificate_of_the_client(tiny_model: Path, tmp_path: Path, authority: Path) -> None:
    folder = authority
    secrets = {
        "tls_certificate": folder / "localhost.pem",
        "tls_key": folder / "localhost.key",
        "tls_clients": folder / "ca.pem",
    }

    def ask(port: int, *own: bytes) -> list[str]:
        credentials = grpc.ssl_channel_credentials((folder / "ca.pem").read_bytes(), *own)
        with Client(f"localhost:{port}", credentials=credentials) as client:
            return [model.name for model in client.models()]

    async def run() -> None:
        async with serving(tiny_model, tmp_path, security=secrets) as served:
            own = [(folder / f"camera.{kind}").read_bytes() for kind in ("key", "pem")]
            assert await asyncio.to_thread(ask, served.server.port, *own) == ["cmu-expmap"]
            with pytest.raises(ConnectionFailed):
                await asyncio.to_thread(ask, served.server.port)

    asyncio.run(run())


def test_pem_files_that_are_not_there_or_no_pem_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    async def run(**security: Any) -> None:
        async with serving(tiny_model, tmp_path, security=security):
            pass

    (tmp_path / "no.pem").write_text("no")
    for name in ("missing.pem", "no.pem"):
        file = tmp_path / name
        with pytest.raises(SettingsError):
            asyncio.run(run(tls_certificate=file, tls_key=file))
