"""Trains the benchmark's networks with PyTorch; worker.py tells how it is spoken to."""

try:
    import torch
    from torch import nn
except ImportError:
    raise SystemExit("absent")

from worker import BATCH, LEARNING_RATE, Job, serve

job = Job()
torch.set_num_threads(job.threads)
images = torch.from_numpy(job.images)
labels = torch.from_numpy(job.labels).long()


def layer(index, kind, padding=0):
    if kind == "relu":
        return nn.ReLU()
    if kind == "pool":
        return nn.MaxPool2d(2)
    if kind == "flatten":
        return nn.Flatten()
    shape = job.weights[f"{index}.weight"].shape
    if kind == "dense":
        return nn.Linear(shape[1], shape[0])
    return nn.Conv2d(shape[1], shape[0], shape[2], padding=int(padding))


model = nn.Sequential(*(layer(index, *spec) for index, spec in enumerate(job.layers)))
# Quicker for convolutions here; for dense layers the same.
model = model.to(memory_format=torch.channels_last)
images = images.to(memory_format=torch.channels_last)
weights = {name: torch.from_numpy(value) for name, value in job.weights.items()}
model.load_state_dict(weights)
# The quickest of its three implementations here.
optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, fused=True)


def step(x, y):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def train(steps):
    while steps > 0:
        order = torch.randperm(job.samples)
        for rows in order[: job.samples // BATCH * BATCH].split(BATCH)[:steps]:
            step(images.index_select(0, rows), labels.index_select(0, rows))
            steps -= 1


def losses(steps):
    batches = zip(images.split(BATCH), labels.split(BATCH))
    return [step(x, y).item() for (x, y), _ in zip(batches, range(steps))]


serve(torch.__version__, lambda: model.load_state_dict(weights), train, losses)
