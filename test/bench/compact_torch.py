"""One training step of Winnow's compact network in eager PyTorch, for comparison. Prints the images per second of each step.

usage: compact_torch.py WIDTH RESOLUTION BATCH THREADS STEPS
The same shapes as src-main/sat/models/compact.ts, channels-last, SAT's loss and SGD with Nesterov momentum.
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

width, resolution, batch, threads, steps = map(int, sys.argv[1:6])
torch.set_num_threads(threads)
torch.manual_seed(1)


def conv_norm(inputs, outputs, size, stride):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs)
    )


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = conv_norm(inputs, outputs, 3, stride)
        self.second = conv_norm(outputs, outputs, 3, 1)
        self.shortcut = conv_norm(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class Compact(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        stride = 4 if resolution >= 96 else 2 if resolution >= 64 else 1
        side = -(-resolution // stride)
        layers = [conv_norm(3, width, {1: 3, 2: 5, 4: 7}[stride], stride), nn.ReLU()]
        inputs = width
        for factor in (2, 4, 8):
            step = 2 if side > 4 else 1
            side = -(-side // step)
            layers.append(Block(inputs, width * factor, step))
            inputs = width * factor
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(inputs, classes)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


model = Compact().to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
images = torch.randn(batch, 3, resolution, resolution).contiguous(memory_format=torch.channels_last)
targets = torch.full((batch, 10), 0.1)
for step in range(steps + 2):
    started = time.perf_counter()
    logits = model(images)
    updated = 0.9 * targets + 0.1 * logits.detach().softmax(1)
    weights = updated.max(1).values
    weights = weights * batch / weights.sum()
    loss = (weights * -(updated * logits.log_softmax(1)).sum(1)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    loss.item()
    # The first two steps allocate and choose kernels.
    if step >= 2:
        print(batch / (time.perf_counter() - started), flush=True)
