# SPDX-License-Identifier: Apache-2.0
"""A GCN of torch_geometric on the nearest-neighbour graph of the breast cancer table."""
import torch
from sklearn.neighbors import kneighbors_graph
from torch_geometric.nn import GCNConv

import common
import flair


class Graph(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = GCNConv(30, 16), GCNConv(16, 2)

    def forward(self, x, edges):
        return self.second(torch.relu(self.first(x, edges)), edges)


def train(model, repo, seed):
    x, y = (torch.from_numpy(a) for a in common.table())
    edges = torch.from_numpy(kneighbors_graph(x.numpy(), 5).nonzero()[1].reshape(-1, 5))
    edges = torch.stack([edges.reshape(-1).long(), torch.arange(len(x)).repeat_interleave(5)])
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    generator = torch.Generator().manual_seed(seed)
    with flair.record(model, optimizer, repo=repo) as run:
        for _ in range(common.STEPS):
            rows = torch.randperm(len(x), generator=generator)[:128]  # whose labels count
            run.rows(rows)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x, edges)[rows], y[rows]).backward()
            optimizer.step()
    return run


def main():
    return common.cycle("gnn", Graph(), train)


if __name__ == "__main__":
    common.show(main())
