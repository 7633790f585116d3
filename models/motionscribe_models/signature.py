"""Who made a model folder: an Ed25519 signature over manifest.json, which has the digest of every other file.

`sign` takes a folder and a private key in PEM and writes manifest.json.sig, 64 bytes. `check_signature` takes the bytes
of a manifest and public keys in PEM and raises an error unless one of the keys made the signature. After a change to
any file, the manifest must be signed again.
"""

import re
from pathlib import Path

from motionscribe_models.errors import MissingExtraError, ModelFolderError
from motionscribe_models.manifest import MANIFEST, SIGNATURE
from motionscribe_models.plain_files import read_plain_file

PUBLIC_KEY = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----\s*", re.DOTALL)
LENGTH = 64


def sign(folder: Path, key: Path) -> Path:
    """Signs the manifest of a folder with the private key in a PEM file; returns the path of the signature."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as missing:
        raise MissingExtraError("signing", "signing a model folder") from missing
    try:
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ModelFolderError(f"expected a private key in PEM without a password, got {key}: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ModelFolderError(f"{key}: expected an Ed25519 key, got {type(private).__name__}")
    path: Path = folder / SIGNATURE
    path.write_bytes(private.sign(read_plain_file(folder / MANIFEST)))
    return path


def check_signature(folder: Path, manifest: bytes, keys: Path) -> None:
    """Raises ModelFolderError unless one of the public keys in a PEM file signed these bytes of the manifest."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as missing:
        raise MissingExtraError("signing", "checking who signed a model folder") from missing
    try:
        found = [load_pem_public_key(pem) for pem in PUBLIC_KEY.findall(keys.read_bytes())]
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"model_keys: expected public keys in PEM, got {keys}: {error}") from error
    public = [key for key in found if isinstance(key, Ed25519PublicKey)]
    if not public or len(public) < len(found):
        raise ModelFolderError(f"model_keys: expected Ed25519 public keys in PEM, got {keys} with others or none")
    if not (folder / SIGNATURE).exists():
        raise ModelFolderError(f"{folder}: expected a signature of its manifest, {SIGNATURE}, got none")
    signature = read_plain_file(folder / SIGNATURE, LENGTH)
    for key in public:
        try:
            key.verify(signature, manifest)
        except InvalidSignature:
            continue
        return
    raise ModelFolderError(f"{folder / SIGNATURE}: expected a signature by a key of {keys}, got another one")
