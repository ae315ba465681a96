"""What the Python workers of `just bench-train` share: files, and the lines they speak.

    worker.py MODEL FOLDER THREADS LAYERS...

FOLDER holds images.u8 [samples, 784], labels.u8 [samples] and MODEL.safetensors, the start weights. LAYERS are
PyTorch's `nn.Sequential`, index by index: conv:PADDING relu pool flatten dense; sizes are those of the weights.

After its first step the worker says `ready VERSION`. `train SAMPLES` trains from the start weights in shuffled
epochs and answers the seconds; `losses STEPS` the mean losses of the first batches, in file order.
"""

import json
import sys
import time

import numpy as np

BATCH = 64
LEARNING_RATE = 0.001


class Job:
    """What the arguments name, read."""

    def __init__(self):
        model, folder, threads, *layers = sys.argv[1:]
        self.model = model
        self.threads = int(threads)
        self.layers = [layer.split(":") for layer in layers]
        self.weights = read_tensors(f"{folder}/{model}.safetensors")
        self.labels = np.fromfile(f"{folder}/labels.u8", dtype=np.uint8)
        images = np.fromfile(f"{folder}/images.u8", dtype=np.uint8)
        self.images = np.multiply(images, np.float32(1 / 255), dtype=np.float32).reshape(-1, 1, 28, 28)
        self.samples = len(self.labels)


def read_tensors(path):
    """The f32 tensors of a safetensors file: its header's length, its header, the values."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: values(data, tensor) for name, tensor in header.items()}


def values(data, tensor):
    start, end = tensor["data_offsets"]
    return np.frombuffer(data[start:end], dtype="<f4").reshape(tensor["shape"]).copy()


def serve(version, reset, train, losses):
    """Answers lines until the input ends. `train(steps)` returns when all of them are done."""
    train(1)
    print("ready", version, flush=True)
    for line in sys.stdin:
        verb, number = line.split()
        reset()
        if verb == "train":
            start = time.perf_counter()
            train(-(-int(number) // BATCH))
            print(time.perf_counter() - start, flush=True)
        else:
            print(*losses(int(number)), flush=True)
