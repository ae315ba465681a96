"""Trains the benchmark's networks with JAX; worker.py tells how it is spoken to.

By default one compiled call a step; with LOOP in the environment one compiled loop over all steps of an epoch.
"""

import os

try:
    import jax
    import jax.numpy as jnp
    from jax import lax
except ImportError:
    raise SystemExit("absent")

import numpy as np

from functools import partial
from worker import BATCH, LEARNING_RATE, Job, serve

job = Job()
# The quicker layout of each network here.
LAYOUT = "NHWC" if job.model == "C2" else "NCHW"
ROWS, COLUMNS, CHANNELS = (LAYOUT.index(axis) for axis in "HWC")
images = jnp.asarray(job.images.reshape([28 if axis in "HW" else -1 if axis == "N" else 1 for axis in LAYOUT]))
labels = jnp.asarray(job.labels.astype(np.int32))


def start():
    """Fresh copies: a step takes its weights over and writes into them."""
    return {name: jnp.array(value) for name, value in job.weights.items()}


def forward(weights, x):
    for index, (kind, *padding) in enumerate(job.layers):
        if kind == "relu":
            x = jax.nn.relu(x)
        elif kind == "pool":
            # The first of equal maxima has the gradient, as with reduce_window, and quicker.
            x = first_maximum(x, ROWS)
            x = first_maximum(x, COLUMNS)
        elif kind == "flatten":
            x = jnp.moveaxis(x, CHANNELS, 1).reshape(len(x), -1)
        elif kind == "dense":
            x = x @ weights[f"{index}.weight"].T + weights[f"{index}.bias"]
        else:
            pad, layouts = [(int(padding[0]),) * 2] * 2, (LAYOUT, "OIHW", LAYOUT)
            bias = jnp.expand_dims(weights[f"{index}.bias"], (1, 2) if CHANNELS == 1 else ())
            x = lax.conv_general_dilated(x, weights[f"{index}.weight"], (1, 1), pad, dimension_numbers=layouts) + bias
    return x


def first_maximum(x, axis):
    """The larger of each pair along an axis."""
    a, b = (lax.slice_in_dim(x, start, None, 2, axis) for start in (0, 1))
    return jnp.where(a >= b, a, b)


def mean_loss(weights, x, y):
    scores = jax.nn.log_softmax(forward(weights, x))
    return -jnp.take_along_axis(scores, y[:, None], 1).mean()


def learn(weights, images, labels, rows):
    loss, gradients = jax.value_and_grad(mean_loss)(weights, images[rows], labels[rows])
    return jax.tree.map(lambda w, g: w - LEARNING_RATE * g, weights, gradients), loss


step = partial(jax.jit, donate_argnums=0)(learn)


@partial(jax.jit, donate_argnums=0)
def loop(weights, images, labels, batches, steps):
    body = lambda i, weights: learn(weights, images, labels, batches[i])[0]
    return lax.fori_loop(0, steps, body, weights)


random = np.random.default_rng(1)
weights = start()


def reset():
    global weights
    weights = jax.block_until_ready(start())


def train(steps):
    global weights
    while steps > 0:
        order = random.permutation(job.samples).astype(np.int32)
        batches = order[: job.samples // BATCH * BATCH].reshape(-1, BATCH)
        if "LOOP" in os.environ:
            weights = loop(weights, images, labels, batches, min(steps, len(batches)))
        else:
            for rows in batches[:steps]:
                weights, _ = step(weights, images, labels, rows)
        steps -= len(batches)
    jax.block_until_ready(weights)


def losses(steps):
    global weights
    result = []
    for first in range(0, steps * BATCH, BATCH):
        weights, loss = step(weights, images, labels, np.arange(first, first + BATCH, dtype=np.int32))
        result.append(float(loss))
    return result


serve(jax.__version__, reset, train, losses)
