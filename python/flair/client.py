# SPDX-License-Identifier: Apache-2.0
"""Client: a hub without a working folder."""
import json

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
        return self._hub.url

    def whoami(self):
        """(wallet, handle)."""
        return self._hub.whoami()

    def repos(self, owner=""):
        return [json.loads(r) for r in self._hub.repos(owner)]

    def create_repo(self, name, visibility="private", description=""):
        return json.loads(self._hub.create_repo(name, visibility, description))

    def invite(self, repo, wallet, role="contributor"):
        self._hub.invite(*self._split(repo), wallet, role)

    def proposals(self, repo, state=""):
        """`repo`: OWNER/NAME. `state`: open, merged, closed, all. Dictionaries as the API gives them (docs/openapi.yaml)."""
        return [json.loads(p) for p in self._hub.proposals(*self._split(repo), state)]

    def proposal(self, repo, number):
        """One proposal with its evidence, checks and reviews."""
        return json.loads(self._hub.proposal(*self._split(repo), number))

    def commits(self, repo, ref="", limit=20):
        return json.loads(self._hub.json(*self._split(repo), f"commits?limit={int(limit)}" + (f"&ref={ref}" if ref else "")))

    def clone(self, repo, path, **options):
        from .repository import Repository
        core, _ = self._hub.clone(*self._split(repo), str(path), **options)
        return Repository(core)

    def _split(self, repo):
        return _core.split_address(repo, self.url)[1]
