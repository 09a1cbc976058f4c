# SPDX-License-Identifier: Apache-2.0
"""The user's wallet and tokens, found where the command line keeps them."""
import datetime
import json
import os
import pathlib

from . import _core, errors


def config_dir():
    base = os.environ.get("XDG_CONFIG_HOME")
    return pathlib.Path(base) / "flair" if base else pathlib.Path.home() / ".config/flair"


def _solana_key():
    folder = pathlib.Path.home() / ".config/solana"
    try:
        for line in (folder / "cli/config.yml").read_text().splitlines():
            if line.startswith("keypair_path:"):
                return pathlib.Path(line.partition(":")[2].strip().strip("'\"")).expanduser()
    except OSError:
        pass
    return folder / "id.json"


def keypair_path(given=None):
    """`given`, FLAIR_KEYPAIR, ~/.config/flair/id.json, the Solana CLI's: the first one that is there."""
    named = given or os.environ.get("FLAIR_KEYPAIR")
    if named:
        return pathlib.Path(named)
    for path in (config_dir() / "id.json", _solana_key()):
        if path.exists():
            return path
    raise errors.NotFound("there is no wallet on this machine",
                          "`flair wallet new` makes one, `flair wallet import` takes an existing key")


def secret(keypair=None):
    """The key's 64 bytes. `keypair`: a path, those bytes themselves, or None to look it up."""
    if isinstance(keypair, (bytes, bytearray)):
        return bytes(keypair)
    return _core.read_secret(str(keypair_path(keypair)))


def new_wallet(path):
    """Makes a key file (mode 0600) in the Solana CLI's form; returns the wallet. A key is never overwritten."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    key = _core.new_secret()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise errors.AlreadyExists(f"{path}: there is a key already", "name another file") from None
    with os.fdopen(handle, "w") as file:
        json.dump(list(key), file)
    return _core.wallet_of(key)


def wallet(keypair=None):
    """The address of the key that commits are signed with."""
    return _core.wallet_of(secret(keypair))


def default_hub():
    """FLAIR_HUB, else the last login's, else none."""
    if os.environ.get("FLAIR_HUB"):
        return os.environ["FLAIR_HUB"]
    try:
        return str(json.loads((config_dir() / "config.json").read_text()).get("hub", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def connect(hub_url, keypair=None):
    """A signed-in connection: with FLAIR_TOKEN, else the wallet's session while it lasts, else a new sign-in.

    Without a wallet on the machine it is anonymous, unless just one session is stored for the hub.
    """
    hub = _core.Hub(hub_url)
    if keypair is None and os.environ.get("FLAIR_TOKEN"):
        return _core.Hub(hub.url, os.environ["FLAIR_TOKEN"])
    try:
        key = secret(keypair)
    except errors.NotFound:
        if keypair is not None or os.environ.get("FLAIR_KEYPAIR"):
            raise
        key = None
    path = str(config_dir() / "tokens.json")
    stored = _core.load_token(path, hub.url, _core.wallet_of(key) if key else "")
    if stored is not None and not _expired(stored[1]):
        return _core.Hub(hub.url, stored[0])
    if key is None:
        return hub  # public repositories can be read
    session = hub.sign_in(key, ["read", "push", "review"])
    if not isinstance(keypair, (bytes, bytearray)):  # a key that no file holds leaves no trace either
        config_dir().mkdir(parents=True, exist_ok=True)
        _core.save_token(path, hub.url, session["token"], session["wallet"], session["expires_at"])
    return _core.Hub(hub.url, session["token"])


def _expired(text):
    try:
        ends = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return True
    return ends < datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)
