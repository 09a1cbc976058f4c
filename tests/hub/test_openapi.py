# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml against the running hub: schemathesis sends what the contract allows and
what it does not, and every answer must be one that the contract names, in its shape."""

import os
import pathlib

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis import checks

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CONTRACT = ROOT / "docs/openapi.yaml"
EXAMPLES = int(os.environ.get("FLAIR_HUB_EXAMPLES", "25"))

# An endless stream, and what would end the session or the repository that the others use.
APART = ("events", "endSession", "deleteRepo", "editRepo", "revokeToken")

schema = schemathesis.openapi.from_path(str(CONTRACT)).exclude(operation_id=list(APART))


def place(case, owner, last_number):
    """Half of the requests go to the repository that exists, half to what was drawn."""
    parameters = case.path_parameters or {}
    if "owner" in parameters and last_number % 2 == 0:
        parameters["owner"], parameters["name"] = owner.key.wallet, "digits"
        for name in ("commit", "a", "b"):
            if name in parameters:
                parameters[name] = "main"
        if "path" in parameters:
            parameters["path"] = "model.safetensors"


CHECKED = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
checks.load_all_checks()

COUNTER = iter(range(10**9))


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))
def test_every_answer_is_in_the_contract(case, hub, owner, repo):
    place(case, owner, next(COUNTER))
    case.headers = dict(case.headers or {})
    case.headers["Authorization"] = "Bearer " + owner.token
    case.call_and_validate(
        base_url=hub.url,
        checks=checks.CHECKS.get_by_names(CHECKED),
    )


def test_the_contract_names_every_operation_of_the_table():
    rows = [line.split(",") for line in (ROOT / "src/hub/endpoints.cc").read_text().splitlines()
            if line.strip().startswith('{"') and ", k" in line]
    coded = set()
    for row in rows:
        name = row[0].strip(' {"')
        method = row[1].strip()[1:].lower()
        coded.add((method, name))
    contract = yaml.safe_load(CONTRACT.read_text())
    written = {(method, operation["operationId"])
               for path in contract["paths"].values() for method, operation in path.items()}
    assert len(coded) > 40
    assert coded == written


def test_events_tell_of_a_comment(hub, owner, repo):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)
    connection.request("GET", repo + "/events")
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.readline() == b": listening\n"
    main = hub.ask("GET", repo + "/refs").json()["refs"][0]["commit"]
    body = {"name": "aliases/watched", "commit": main}
    assert hub.ask("PUT", repo + "/refs", body, owner.token).status == 200
    lines = [answer.readline() for _ in range(3)]
    assert b"event: ref.moved\n" in lines
    connection.close()


def test_what_ends_things(hub, owner):
    token = hub.sign_in(owner.key)
    made = hub.ask("POST", "/api/v1/auth/tokens", {"scopes": ["read"]}, token).json()
    assert hub.ask("DELETE", "/api/v1/auth/tokens/" + made["id"], token=token).status == 204
    assert hub.ask("POST", "/api/v1/repos", {"name": "gone"}, token).status == 201
    gone = f"/api/v1/repos/{owner.key.wallet}/gone"
    assert hub.ask("PATCH", gone, {"description": "soon"}, token).json()["description"] == "soon"
    assert hub.ask("DELETE", gone, token=token).status == 204
    assert hub.ask("GET", gone, token=token).status == 404
    assert hub.ask("DELETE", "/api/v1/auth/session", token=token).status == 204
    assert hub.ask("GET", "/api/v1/auth/whoami", token=token).status == 401
