"""Who made a model folder: signed by a known key it is loaded, otherwise refused with the reason."""

import shutil
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as other_kind
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from motionscribe_models.errors import MissingExtraError, ModelFolderError
from motionscribe_models.repository import Repository, read_bundle
from motionscribe_models.signature import check_signature, sign
from motionscribe_training.__main__ import main

Key = Ed25519PrivateKey | EllipticCurvePrivateKey


def private(key: Key) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def public(key: Key) -> bytes:
    pem: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


LAB, GYM, FOREIGN = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), other_kind(SECP256R1())


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A model that the laboratory signed."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "models" / tiny_model.parent.name / tiny_model.name))
    (tmp_path / "lab.key").write_bytes(private(LAB))
    assert main(["sign", str(folder), "--key", str(tmp_path / "lab.key")]) == 0
    return folder


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The public keys of two."""
    file = tmp_path / "keys.pem"
    file.write_bytes(public(GYM) + public(LAB))
    return file


def test_a_signed_folder_is_loaded(folder: Path, keys: Path) -> None:
    assert len((folder / "manifest.json.sig").read_bytes()) == 64
    loaded = Repository(folder.parent.parent, keys).load(folder.parent.name)
    assert loaded.manifest == read_bundle(folder).manifest  # who has no keys takes signed ones, too


def test_a_folder_without_a_good_signature_is_refused(folder: Path, keys: Path, tmp_path: Path) -> None:
    signature = folder / "manifest.json.sig"
    good = signature.read_bytes()
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(public(GYM))
    with pytest.raises(ModelFolderError, match=r"expected a signature by a key of .*stranger.pem, got another one"):
        read_bundle(folder, stranger)
    for raw, reason in ((good[:-1] + bytes([good[-1] ^ 1]), "got another one"), (good + b"\n", "at most 64 bytes")):
        signature.write_bytes(raw)
        with pytest.raises(ModelFolderError, match=rf"manifest\.json\.sig: .*{reason}"):
            read_bundle(folder, keys)
    signature.unlink()
    with pytest.raises(ModelFolderError, match=r"expected a signature of its manifest, manifest\.json\.sig, got none"):
        read_bundle(folder, keys)


def test_what_was_changed_after_it_was_signed_is_refused(folder: Path, keys: Path) -> None:
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"description": "', '"description": "Ours. '))
    assert read_bundle(folder).manifest.description.startswith("Ours.")
    with pytest.raises(ModelFolderError, match="got another one"):
        read_bundle(folder, keys)


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (None, "No such file"),
        (b"", "with others or none"),
        (public(FOREIGN), "with others or none"),
        (b"-----BEGIN PUBLIC KEY-----\nbm8=\n-----END PUBLIC KEY-----\n", "expected public keys in PEM"),
    ],
    ids=["absent", "empty", "another kind", "no key"],
)
def test_keys_that_are_none_let_nothing_in(folder: Path, tmp_path: Path, pem: bytes | None, reason: str) -> None:
    keys = tmp_path / "none.pem"
    if pem is not None:
        keys.write_bytes(pem)
    with pytest.raises(ModelFolderError, match=f"model_keys: .*{reason}"):
        read_bundle(folder, keys)


def test_only_a_sound_folder_and_a_private_key_make_a_signature(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key.pem"
    for pem, reason in ((public(LAB), "expected a private key in PEM"), (private(FOREIGN), "expected an Ed25519 key")):
        key.write_bytes(pem)
        assert main(["sign", str(folder), "--key", str(key)]) == 1
        assert reason in capsys.readouterr().err
    (folder / "notes.txt").touch()
    assert main(["sign", str(folder), "--key", str(tmp_path / "lab.key")]) == 1
    assert "got also notes.txt" in capsys.readouterr().err


def test_without_cryptography_the_pip_command_is_told(
    folder: Path, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.serialization", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[signing\]"'):
        sign(folder, tmp_path / "lab.key")
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[signing\]"'):
        check_signature(folder, b"", keys)
