import { describe, expect, it } from 'vitest';
import { centerRegion, crop } from './crop.ts';
import { decodeImage } from './decode.ts';
import { checksum, goldenPath, readGolden } from './golden.fixture.ts';
import { normalize } from './normalize.ts';
import { resize, resizeCenterCrop, shortSideSize } from './resize.ts';

interface Photo {
  readonly source_hw: readonly [number, number];
  readonly resized_hw: readonly [number, number];
  readonly crop_top_left: readonly [number, number];
  readonly lossy: boolean;
  readonly rgb: string;
  readonly resized_rgb: string;
  readonly cropped_rgb: string;
  readonly tensor: {
    readonly samples_cyx: readonly (readonly [number, number, number])[];
    readonly values: readonly number[];
  };
}

const photos = Object.entries(await readGolden<Record<string, Photo>>('photos.json'));
const CROP = { height: 224, width: 224 };

describe("the official evaluation's preprocessing", () => {
  it.each(photos)('is equal to the last bit on %s', async (file, expected) => {
    const path = goldenPath(`photos/${file}`);
    const decoded = await decodeImage(path);
    expect([decoded.height, decoded.width]).toEqual(expected.source_hw);
    const image = expected.lossy ? await decodeImage(path.replace('.jpg', '.decoded.png')) : decoded;
    expect(checksum(image.data)).toBe(expected.rgb);
    const difference = decoded.data.reduce((most, v, i) => Math.max(most, Math.abs(v - image.data[i]!)), 0);
    expect(difference).toBeLessThanOrEqual(3);

    const size = shortSideSize(image, 256);
    expect([size.height, size.width]).toEqual(expected.resized_hw);
    const resized = resize(image, size, 'bicubic');
    expect(checksum(resized.data)).toBe(expected.resized_rgb);

    const region = centerRegion(size, CROP);
    expect([region.top, region.left]).toEqual(expected.crop_top_left);
    const cropped = crop(resized, region);
    expect(checksum(cropped.data)).toBe(expected.cropped_rgb);
    expect(checksum(resizeCenterCrop(image, size, CROP, 'bicubic').data)).toBe(expected.cropped_rgb);

    const values = normalize(cropped, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    const samples = expected.tensor.samples_cyx.map(([c, y, x]) => values[(y * 224 + x) * 3 + c]);
    expect(samples).toEqual(expected.tensor.values.map(Math.fround));
  });
});
