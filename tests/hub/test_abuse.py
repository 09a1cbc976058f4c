# SPDX-License-Identifier: Apache-2.0
"""What strangers try, against the real process: each case with the outcome expected."""

import concurrent.futures
import signal
import socket
import time

import pytest

from conftest import Hub, Person

INNER = b"GET /api/v1/hub HTTP/1.1\r\nHost: a\r\n\r\n"

SMUGGLING = {
    "CL.TE": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE.CL": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    "CL.CL": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n",
    "TE in 1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n",
    "unknown TE": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "folded": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "huge head": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
}


def raw(hub, sent):
    with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as peer:
        try:
            peer.sendall(sent)
        except OSError:
            pass
        got = b""
        while True:
            try:
                more = peer.recv(65536)
            except ConnectionResetError:
                return got
            if not more:
                return got
            got += more


@pytest.mark.parametrize("name", SMUGGLING)
def test_a_smuggled_request_is_never_served(hub, name):
    got = raw(hub, SMUGGLING[name] + INNER)
    assert got.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501")), got[:100]
    assert b'"wallet"' not in got


def test_a_replayed_sign_in_is_refused(hub, owner):
    challenge = hub.challenge(owner.key)
    body = {"nonce": challenge["nonce"],
            "signature": owner.key.sign(challenge["text"].encode()).hex()}
    assert hub.ask("POST", "/api/v1/auth/session", body).status == 200
    again = hub.ask("POST", "/api/v1/auth/session", body)
    assert again.status == 401
    assert again.json()["code"] == "unauthorised"


def test_a_changed_challenge_is_not_what_was_asked(hub, owner):
    challenge = hub.challenge(owner.key, ["read"])
    widened = challenge["text"].replace("scope:read", "scope:push")
    body = {"nonce": challenge["nonce"], "signature": owner.key.sign(widened.encode()).hex()}
    assert hub.ask("POST", "/api/v1/auth/session", body).status == 401


def test_a_stale_ref_is_a_conflict(hub, owner, repo):
    main = hub.ask("GET", repo + "/refs").json()["refs"]
    tip = next(ref["commit"] for ref in main if ref["name"] == "heads/main")
    parent = hub.ask("GET", repo + "/commits/" + tip).json()["parents"][0]
    move = {"name": "heads/side", "commit": parent}
    assert hub.ask("PUT", repo + "/refs", move, owner.token).status == 200
    again = hub.ask("PUT", repo + "/refs", move, owner.token)
    assert again.status == 409
    assert again.json()["code"] == "conflict"
    move = {"name": "heads/side", "commit": tip, "expected_old": tip}
    assert hub.ask("PUT", repo + "/refs", move, owner.token).status == 409
    move["expected_old"] = parent
    assert hub.ask("PUT", repo + "/refs", move, owner.token).status == 200


def test_a_private_repository_does_not_exist_for_strangers(hub, owner, tmp_path):
    hub.ask("POST", "/api/v1/repos", {"name": "secret"}, owner.token)
    secret = f"/api/v1/repos/{owner.key.wallet}/secret"
    absent = f"/api/v1/repos/{owner.key.wallet}/absent"
    stranger = hub.sign_in(Person(tmp_path, 9).key)
    for token in (None, stranger):
        assert hub.ask("GET", secret, token=token).status == 404
        told = hub.ask("GET", secret, token=token).json()["detail"]
        assert told.replace("secret", "absent") == hub.ask("GET", absent, token=token).json()["detail"]


@pytest.mark.parametrize("path", [
    "/files/main/../../hub.json", "/files/main/%2e%2e/hub.json", "/files/main/..%2f..%2fhub.json",
    "/packs/..%2f..%2fhub.json", "/files/main//etc/passwd", "/packs/hub.db"])
def test_no_path_leaves_the_repository(hub, repo, path):
    got = raw(hub, b"GET " + (repo + path).encode() + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert got.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404")), got[:200]


def test_seventy_clients_at_once(hub, repo):
    def work(number):
        for _ in range(10):
            answer = hub.ask("GET", repo + "/files/main/model.safetensors")
            assert answer.status == 200 and len(answer.body) > 16
        return number

    with concurrent.futures.ThreadPoolExecutor(70) as pool:
        assert len(list(pool.map(work, range(70)))) == 70


def test_metrics_and_audit_log_tell_of_it(hub, owner, repo):
    text = hub.ask("GET", "/metrics").body.decode()
    assert 'flair_http_requests_total{operation="getFile",status="2xx"}' in text
    entries = hub.ask("GET", repo + "/audit-log", token=owner.token).json()["entries"]
    assert {"repo.create", "ref.move"} <= {entry["action"] for entry in entries}


def test_a_term_signal_ends_it_gently_and_it_comes_back(tmp_path):
    hub = Hub(tmp_path)
    wallet = hub.ask("GET", "/api/v1/hub").json()["wallet"]
    with socket.create_connection(("127.0.0.1", hub.port)):  # an idle connection does not hold it
        began = time.monotonic()
        assert hub.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < 5
    hub.start()
    assert hub.ask("GET", "/api/v1/hub").json()["wallet"] == wallet
    hub.stop(signal.SIGKILL)
    hub.start()
    assert hub.ask("GET", "/healthz").json() == {"status": "ok"}
    hub.stop()
