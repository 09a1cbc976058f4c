# SPDX-License-Identifier: Apache-2.0
"""Client: a hub without a working folder."""
import json
import urllib.parse

from . import _core, errors, identity


class Client:
    """`hub`: "http://127.0.0.1:8420". Signed in with the stored token, else with the wallet; else anonymous."""

    def __init__(self, hub="", keypair=None):
        hub = hub or identity.default_hub()
        if not hub:
            raise errors.InvalidArgument("no hub is named", "flair.Client('http://HUB'), or FLAIR_HUB")
        self._hub = identity.connect(hub, keypair)

    @property
    def url(self):
        """The hub's address, without a slash at the end."""
        return self._hub.url

    def whoami(self):
        """(wallet, handle)."""
        return self._hub.whoami()

    def repos(self, owner=""):
        """Repositories that this wallet may read; `owner`: a wallet or handle, else all. Dictionaries of the API."""
        return [json.loads(r) for r in self._hub.repos(owner)]

    def create_repo(self, name, visibility="private", description=""):
        """A new repository of this wallet: the API's dictionary. `visibility`: private or public. Errors: AlreadyExists."""
        return json.loads(self._hub.create_repo(name, visibility, description))

    def invite(self, repo, wallet, role="contributor"):
        """Gives `wallet` (an address or a handle) a role in OWNER/NAME: reader, contributor, maintainer or owner."""
        self._hub.invite(*self._split(repo), wallet, role)

    def proposals(self, repo, state=""):
        """`repo`: OWNER/NAME. `state`: open, merged, closed, all. Dictionaries as the API gives them (docs/openapi.yaml)."""
        return [json.loads(p) for p in self._hub.proposals(*self._split(repo), state)]

    def proposal(self, repo, number):
        """One proposal with its evidence, checks and reviews."""
        return json.loads(self._hub.proposal(*self._split(repo), number))

    def commits(self, repo, ref="", limit=20):
        """{"commits": [...], ...} of OWNER/NAME from `ref` (default: the default branch) back, newest first, as the API has it."""
        return json.loads(self._hub.json(*self._split(repo), f"commits?limit={int(limit)}" + (f"&ref={urllib.parse.quote(str(ref), safe='')}" if ref else "")))

    def clone(self, repo, path, **options):
        """A working copy of OWNER/NAME at `path`; options as flair.clone's `light`, `branch`, `tensors`, `depth`."""
        from .repository import Repository
        core, _ = self._hub.clone(*self._split(repo), str(path), **options)
        return Repository(core)

    def _split(self, repo):
        return _core.split_address(repo, self.url)[1]
