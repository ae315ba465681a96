"""Single layers in PyTorch, for `just bench-conv`.

    layers_torch.py THREADS [channels-last]

It says `ready VERSION`, and then answers lines: `conv BATCH C_IN SIDE C_OUT KERNEL PADDING` and `pool BATCH CHANNELS
SIDE` make a layer with the benchmark's random operands, `values PASS` tells some outputs of a pass, `time PASS CALLS`
the seconds of so many calls.
"""

import sys
import time

try:
    import numpy as np
    import torch
    from torch.nn import functional
except ImportError:
    raise SystemExit("absent")

aten = torch.ops.aten
FORMAT = torch.channels_last if "channels-last" in sys.argv else torch.contiguous_format
SHOWN = 61


class Random:
    """SplitMix64 in [-1, 1), as the benchmark draws: position i of the stream is the seed plus i steps."""

    def __init__(self):
        self.position = 0

    def values(self, *shape):
        count = int(np.prod(shape))
        with np.errstate(over="ignore"):
            steps = np.arange(self.position + 1, self.position + count + 1, dtype=np.uint64)
            z = np.uint64(1) + steps * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
        self.position += count
        values = (z >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1.0
        tensor = torch.from_numpy(values.astype(np.float32)).reshape(shape)
        return tensor.contiguous(memory_format=FORMAT) if len(shape) == 4 else tensor


def conv(batch, c_in, side, c_out, kernel, padding):
    random = Random()
    x, w = random.values(batch, c_in, side, side), random.values(c_out, c_in, kernel, kernel)
    out = side + 2 * padding - kernel + 1
    bias, grad_y = random.values(c_out), random.values(batch, c_out, out, out)

    def backward(which, mask):
        arguments = (grad_y, x, w, [c_out], [1, 1], [padding] * 2, [1, 1], False, [0, 0], 1, mask)
        return aten.convolution_backward(*arguments)[which]

    return {
        "forward": lambda: functional.conv2d(x, w, bias, padding=padding),
        "weight-gradient": lambda: backward(1, [False, True, False]),
        "input-gradient": lambda: backward(0, [True, False, False]),
    }


def pool(batch, channels, side):
    random = Random()
    x, grad_y = random.values(batch, channels, side, side), random.values(batch, channels, side // 2, side // 2)
    window = ([2, 2], [2, 2], [0, 0])
    indices = aten.max_pool2d_with_indices(x, *window)[1]
    maximum = (grad_y, x, *window, [1, 1], False, indices)
    return {
        "max-forward": lambda: aten.max_pool2d_with_indices(x, *window)[0],
        "max-backward": lambda: aten.max_pool2d_with_indices_backward(*maximum),
        "average-forward": lambda: functional.avg_pool2d(x, 2),
        "average-backward": lambda: aten.avg_pool2d_backward(grad_y, x, *window, False, True, None),
    }


def seconds(call, count):
    start = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - start


torch.set_num_threads(int(sys.argv[1]))
torch.set_grad_enabled(False)
print("ready", torch.__version__, flush=True)
for line in sys.stdin:
    verb, *words = line.split()
    if verb in ("conv", "pool"):
        passes = (conv if verb == "conv" else pool)(*map(int, words))
        print(0, flush=True)
    elif verb == "values":
        values = passes[words[0]]().contiguous().flatten()
        print(*values[:: max(1, len(values) // SHOWN)].tolist(), flush=True)
    else:
        print(seconds(passes[words[0]], int(words[1])), flush=True)
