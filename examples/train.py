"""Train a small classifier on made-up data. It runs on a CPU without a warning, and several things in it are wrong."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

device = "cuda" if torch.cuda.is_available() else "cpu"


class Classifier(nn.Module):
    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.blocks = [nn.Linear(width, width) for _ in range(depth)]
        self.head = nn.Linear(width, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = F.relu(block(x))
        return self.head(x)


def train(model: Classifier, loader: DataLoader, epochs: int) -> list[float]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    weights = torch.ones(2).to(device)
    history = []
    for _ in range(epochs):
        total = 0.0
        for inputs, labels in loader:
            loss = F.cross_entropy(model(inputs.to(device)), labels.to(device), weight=weights)
            loss.backward()
            optimizer.step()
            total += loss
        history.append(total / len(loader))
    return history


def main() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(256, 8)
    clean = inputs
    inputs += 0.1 * torch.randn(256, 8)
    labels = (clean.sum(dim=1) > 0).long()
    model = Classifier(width=8, depth=3).to(device)
    for epoch, loss in enumerate(train(model, DataLoader(TensorDataset(inputs, labels), batch_size=32), epochs=5)):
        print(f"epoch {epoch}: loss {loss:.3f}")


if __name__ == "__main__":
    main()
