"""Models the listener: a Conformer-style encoder with CTC outputs, no decoder.

Two strided convolutions bring 10 ms frames to 40 ms; the output layer emits two label distributions for each of those
(20 ms), so that fast speech and repeated letters have room. Position comes from the depthwise convolutions and from a
fixed penalty on distance in the attention (no table, any length). A second head in the middle only helps training.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

STRIDE, SPLIT = 4, 2


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, penalty):
        b, t, d = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, self.size).permute(2, 0, 3, 1, 4).unbind(0)
        score = (q * self.size ** -0.5) @ k.transpose(-1, -2) + penalty
        return self.out((torch.softmax(score, -1) @ v).transpose(1, 2).reshape(b, t, d))


class Convolution(nn.Module):
    def __init__(self, width, kernel):
        super().__init__()
        self.gate, self.out = nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.depth = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        y = F.glu(self.gate(x), -1)
        # contiguous() on both sides: Debian's torch 1.13 has wrong activation gradients for transposed tensors
        y = self.depth(y.transpose(1, 2).contiguous()).transpose(1, 2).contiguous()
        return self.out(F.silu(self.norm(y.float())))


class Block(nn.Module):
    def __init__(self, width, heads, inner, kernel, dropout):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.attention, self.convolution = Attention(width, heads), Convolution(width, kernel)
        self.first = nn.Sequential(nn.Linear(width, inner), nn.SiLU(), nn.Linear(inner, width))
        self.second = nn.Sequential(nn.Linear(width, inner), nn.SiLU(), nn.Linear(inner, width))
        self.dropout = dropout

    def forward(self, x, penalty):
        def add(y):
            return x + F.dropout(y, self.dropout, self.training)
        x = add(0.5 * self.first(self.norms[0](x)))
        x = add(self.attention(self.norms[1](x), penalty))
        x = add(self.convolution(self.norms[2](x)))
        return add(0.5 * self.second(self.norms[3](x)))


class Listener(nn.Module):
    def __init__(self, labels, width=256, layers=6, heads=4, inner=512, kernel=15, dropout=0.05, mels=80):
        super().__init__()
        self.shape = dict(labels=labels, width=width, layers=layers, heads=heads, inner=inner, kernel=kernel, mels=mels)
        self.labels = labels
        self.stem1 = nn.Conv1d(mels, width // 2, 5, stride=2, padding=2)
        self.stem2 = nn.Conv1d(width // 2, width, 5, stride=2, padding=2)
        self.stem_norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, heads, inner, kernel, dropout) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, SPLIT * labels)
        self.middle = nn.Linear(width, SPLIT * labels)
        slopes = [0.0] + [0.5 ** (1 + 2.0 * i) for i in range(heads - 1)]
        self.register_buffer("slopes", torch.tensor(slopes).view(heads, 1, 1), persistent=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def _split(self, y):
        return y.reshape(y.shape[0], -1, self.labels)

    def forward(self, features, middle=False):
        """[B, T, 80] -> log probabilities [B, 2 * ceil(T / 4), labels]; with middle=True also those of the middle head."""
        x = F.silu(self.stem1(features.transpose(1, 2).contiguous()).transpose(1, 2).contiguous())
        x = F.silu(self.stem2(x.transpose(1, 2).contiguous()).transpose(1, 2).contiguous())
        x = self.stem_norm(x.float())
        at = torch.arange(x.shape[1], device=x.device, dtype=torch.float32)
        penalty = (at[None, :] - at[:, None]).abs()[None] * -self.slopes
        half = None
        for number, block in enumerate(self.blocks):
            x = block(x, penalty)
            if middle and number == math.ceil(len(self.blocks) / 2) - 1:
                half = self._split(self.middle(x)).float().log_softmax(-1)
        y = self._split(self.head(self.norm(x))).float().log_softmax(-1)
        return (y, half) if middle else y


def restore(path, device="cpu"):
    """The averaged weights of a checkpoint, ready to listen."""
    saved = torch.load(path, map_location=device)
    model = Listener(**saved["shape"])
    with torch.no_grad():
        for own, mean in zip(model.parameters(), saved["mean"]):
            own.copy_(mean)
    return model.eval()
