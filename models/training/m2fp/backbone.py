# SPDX-License-Identifier: Apache-2.0
"""ResNet with a deep stem, with the checkpoint's key names."""
import torch.nn as nn
import torch.nn.functional as F

from .norm import normalise

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class ConvNorm(nn.Conv2d):
    """A convolution without bias whose batch norm is its child `norm`."""

    def __init__(self, inputs, outputs, size, stride=1):
        super().__init__(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x, plus=None, relu=True):
        """Convolution, norm, sum with `plus`, ReLU."""
        if self.kernel_size == (1, 1) and self.stride == (1, 1):
            # One matrix product for the whole batch; a CPU's 1x1 convolution takes one a picture.
            y = F.linear(x.permute(0, 2, 3, 1), self.weight[:, :, 0, 0]).permute(0, 3, 1, 2)
        else:
            y = super().forward(x)
        return normalise(self.norm, y, plus, relu)


class Stem(nn.Module):
    """Three convolutions and a pooling: a quarter of the picture's size."""

    def __init__(self, outputs, middle):
        super().__init__()
        self.conv1 = ConvNorm(3, middle, 3, 2)
        self.conv2 = ConvNorm(middle, middle, 3)
        self.conv3 = ConvNorm(middle, outputs, 3)

    def forward(self, x):
        x = self.conv3(self.conv2(self.conv1(x)))
        return F.max_pool2d(x, 3, 2, 1)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 with a shortcut; the stride is in the 3x3."""

    def __init__(self, inputs, middle, outputs, stride):
        super().__init__()
        self.shortcut = ConvNorm(inputs, outputs, 1, stride) if inputs != outputs else None
        self.conv1 = ConvNorm(inputs, middle, 1)
        self.conv2 = ConvNorm(middle, middle, 3, stride)
        self.conv3 = ConvNorm(middle, outputs, 1)

    def forward(self, x):
        y = self.conv2(self.conv1(x))
        return self.conv3(y, x if self.shortcut is None else self.shortcut(x, relu=False))


class ResNet(nn.Module):
    """Gives res2 to res5 (a quarter to a thirty-second of the size)."""

    def __init__(self, config):
        super().__init__()
        width = config["num_groups"] * config["width_per_group"]
        outputs = config["res2_out_channels"]
        # The deep stem's inner width is half of what it gives.
        self.stem = Stem(config["stem_out_channels"], config["stem_out_channels"] // 2)
        inputs = config["stem_out_channels"]
        self.channels = []
        for i, blocks in enumerate(BLOCKS[config["depth"]]):
            stage = []
            for j in range(blocks):
                stage.append(Bottleneck(inputs, width << i, outputs << i, 2 if i and not j else 1))
                inputs = outputs << i
            setattr(self, f"res{i + 2}", nn.Sequential(*stage))
            self.channels.append(inputs)

    def forward(self, x):
        x = self.stem(x)
        out = []
        for name in ("res2", "res3", "res4", "res5"):
            x = getattr(self, name)(x)
            out.append(x)
        return out
