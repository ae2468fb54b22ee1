import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRng, type Rng } from '@as-mlp/base';
import {
  createClassificationModel,
  encodeMetadata,
  IMAGENET_PREPROCESSING,
  labelsFor,
} from '@as-mlp/classification';
import { createImage, encodeJpeg, type RgbImage } from '@as-mlp/data';
import { encodeSafetensors } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { PHOTOS, placesIn } from './places.ts';

const CHECKED_IMAGES = 2;
/** Random numbers that the photos share; a prime, so that no two rows are alike. */
const GRAIN = 65_521;
const PHOTO = { height: 375, width: 500 };

/** Writes what all contestants share: weights, images with the logits they must give, and photos. See {@link placesIn}. */
export async function writeFixtures(name: string, side: number, folder: string): Promise<void> {
  const places = placesIn(folder);
  const model = createClassificationModel(name);
  const rng = createRng(1);
  const images = rng.normal(CHECKED_IMAGES * side * side * 3);
  const shape: [number, number, number, number] = [CHECKED_IMAGES, side, side, 3];
  const logits = tf.tidy(() => model.forward(tf.tensor4d(images, shape)));
  const labels = labelsFor(model.config.numClasses, undefined, name);
  const metadata = encodeMetadata(model.config, labels, { ...IMAGENET_PREPROCESSING, size: side });
  await writeFile(places.weights, encodeSafetensors(await model.stateDict(), metadata));
  const expected = { name: 'logits', shape: logits.shape, data: (await logits.data()) as Float32Array };
  await writeFile(places.check, encodeSafetensors([{ name: 'images', shape, data: images }, expected]));

  await mkdir(places.photos, { recursive: true });
  const grain = rng.normal(GRAIN);
  for (let i = 0; i < PHOTOS; i++) {
    const file = join(places.photos, `${String(i).padStart(3, '0')}.jpg`);
    await writeFile(file, await encodeJpeg(drawPhoto(rng.fork(i), grain)));
  }
}

/** Something that a JPEG spends about as many bytes on as on a photo: soft colours, edges, and a little grain. */
function drawPhoto(rng: Rng, grain: Float32Array): RgbImage {
  const image = createImage(PHOTO);
  const waves = Array.from({ length: 6 }, (_, i) => ({
    x: (rng.next() - 0.5) * 0.03 * 2.2 ** i,
    y: (rng.next() - 0.5) * 0.03 * 2.2 ** i,
    phase: rng.next() * 2 * Math.PI,
    height: 50 / 1.6 ** i,
  }));
  const edge = { slope: rng.next() * 2 - 1, at: rng.next() * PHOTO.height };
  for (let y = 0, p = 0; y < PHOTO.height; y++) {
    for (let x = 0; x < PHOTO.width; x++) {
      let light = y > edge.at + edge.slope * (x - PHOTO.width / 2) ? 90 : 150;
      for (const wave of waves) light += wave.height * Math.sin(wave.x * x + wave.y * y + wave.phase);
      for (let c = 0; c < 3; c++, p++) {
        image.data[p] = Math.min(255, Math.max(0, light + (c - 1) * 25 + 5 * grain[p % GRAIN]!));
      }
    }
  }
  return image;
}
