# SPDX-License-Identifier: Apache-2.0
"""A GAN: two models in one repository, a loop of its own; the discriminator's steps are recorded."""
import keras
import tensorflow as tf
from keras import layers

import common
import flair.keras


def build():
    generator = keras.Sequential([
        keras.Input((16,)), layers.Dense(784, name="fc"), layers.Reshape((7, 7, 16)), layers.BatchNormalization(name="norm"),
        layers.ReLU(), layers.Conv2DTranspose(8, 2, 2, activation="relu", name="up1"),
        layers.Conv2DTranspose(1, 2, 2, activation="sigmoid", name="up2")])
    discriminator = keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(8, 3, 2, "same", name="c1"), layers.LeakyReLU(0.2),
        layers.Conv2D(16, 3, 2, "same", name="c2"), layers.LeakyReLU(0.2), layers.Flatten(), layers.Dense(1, name="fc")])
    return {"generator": generator, "discriminator": discriminator}


def train(models, repo, seed):
    keras.utils.set_random_seed(seed)
    generator, discriminator = models["generator"], models["discriminator"]
    images = common.fashion(48)[0][..., None]
    score = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizers = {name: keras.optimizers.Adam(1e-3) for name in models}
    run = flair.keras.Recorder(data=images, repo=repo).attach(discriminator, optimizers["discriminator"])
    for k in range(common.STEPS):
        real = images[16 * k:16 * k + 16]
        run.batch(real)
        for name, model in models.items():
            with tf.GradientTape() as tape:
                judged = discriminator(generator(tf.random.normal((16, 16)), training=True), training=True)
                loss = score(tf.ones_like(judged), judged) if name == "generator" else \
                    score(tf.zeros_like(judged), judged) + score(tf.ones((16, 1)), discriminator(real, training=True))
            optimizers[name].apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    run.finish()
    return run


def main():
    return common.cycle("gan", build(), train)


if __name__ == "__main__":
    common.show(main())
