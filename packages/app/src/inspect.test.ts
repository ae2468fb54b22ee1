import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createImage } from '@as-mlp/data';
import { expect, it } from 'vitest';
import { inspectVerb } from './inspect.ts';
import { runVerbs, scratchFolder } from './terminal.fixture.ts';

const verb = inspectVerb({
  description: 'draw',
  setting: 'a=1',
  async *examples({ count }) {
    for (let i = 0; i < count; i++) {
      const draw = async (side = 40) => createImage({ height: side, width: side }, [i, 0, 0]);
      yield { name: `folder/photo ${i % 2}.jpg`, draw };
    }
  },
});

it('writes a picture an example, namesakes apart, and a sheet of all', async () => {
  const out = join(scratchFolder(), 'seen');
  const said = await runVerbs([verb], 'inspect', '--data', 'd', '--out', out, '--count', '3');
  expect(said).toMatchObject({ code: 0, out: `3 images: ${join(out, 'sheet.png')}\n` });
  expect(readdirSync(out).sort()).toEqual([
    '000-photo-0.png',
    '001-photo-1.png',
    '002-photo-0.png',
    'sheet.png',
  ]);
});
