# SPDX-License-Identifier: Apache-2.0
"""Every model family of examples/ goes through commit, diff, branch, merge and restore, bit for bit: torch."""
import pytest
from families import families, run


@pytest.mark.parametrize("name", families("torch"))
def test_family(name, monkeypatch, tmp_path):
    run(name, monkeypatch, tmp_path)


def test_every_family_has_its_script():
    assert {n.rpartition("_")[0] for n in families("torch")} >= {"resnet", "mobilenet", "efficientnet", "lstm", "gru", "distilbert", "gpt", "autoencoder", "gan", "gnn"}
