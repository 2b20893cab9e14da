"""Training steps in eager PyTorch, on a card or the CPU, for comparison with Winnow's engines. Prints one line of JSON.

usage: torch_step.py NETWORK WIDTH RESOLUTION BATCH STEPS PRECISION [DEVICE]
NETWORK is compact or resnet18, the same shapes as in src-main/sat/models; PRECISION is fp32 or tf32. SAT's loss, SGD with Nesterov momentum.
"""
import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

network = sys.argv[1]
width, resolution, batch, steps = map(int, sys.argv[2:6])
precision = sys.argv[6]
device = sys.argv[7] if len(sys.argv) > 7 else "cuda"
torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
torch.backends.cudnn.allow_tf32 = precision == "tf32"
torch.backends.cudnn.benchmark = True
torch.manual_seed(1)


def conv_norm(inputs, outputs, size, stride):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, always_project):
        super().__init__()
        self.first = conv_norm(inputs, outputs, 3, stride)
        self.second = conv_norm(outputs, outputs, 3, 1)
        projects = always_project or stride > 1 or inputs != outputs
        self.shortcut = conv_norm(inputs, outputs, 1, stride) if projects else nn.Identity()

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class Residual(nn.Module):
    def __init__(self, stem, blocks, outputs):
        super().__init__()
        self.features = nn.Sequential(*stem, nn.ReLU(), *blocks)
        self.head = nn.Linear(outputs, 10)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


def compact():
    stride = 4 if resolution >= 96 else 2 if resolution >= 64 else 1
    side = -(-resolution // stride)
    stem = conv_norm(3, width, {1: 3, 2: 5, 4: 7}[stride], stride)
    blocks, inputs = [], width
    for factor in (2, 4, 8):
        step = 2 if side > 4 else 1
        side = -(-side // step)
        blocks.append(Block(inputs, width * factor, step, True))
        inputs = width * factor
    return Residual(stem, blocks, inputs)


def resnet18():
    blocks, inputs = [], width
    for stage, factor in enumerate((1, 2, 4, 8)):
        for block in range(2):
            blocks.append(Block(inputs, width * factor, 2 if stage > 0 and block == 0 else 1, False))
            inputs = width * factor
    return Residual(conv_norm(3, width, 3, 1), blocks, inputs)


model = {"compact": compact, "resnet18": resnet18}[network]().to(device, memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
images = torch.randn(batch, 3, resolution, resolution, device=device).contiguous(memory_format=torch.channels_last)
targets = torch.full((batch, 10), 0.1, device=device)
speeds, latest = [], None
started = time.perf_counter()
for step in range(steps + 3):
    logits = model(images)
    updated = 0.9 * targets + 0.1 * logits.detach().softmax(1)
    weights = updated.max(1).values
    weights = weights * batch / weights.sum()
    loss = (weights * -(updated * logits.log_softmax(1)).sum(1)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    # Read one step late, as ours is.
    if latest is not None:
        latest.item()
    latest = loss.detach()
    now = time.perf_counter()
    if step >= 3:
        speeds.append(batch / (now - started))
    started = now
latest.item()
name = torch.cuda.get_device_name() if device == "cuda" else device
peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"device": f"{torch.__version__}, {name}", "imagesPerSecond": speeds, "peakBytes": peak}))
