import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FakeTools, fakeMachine, temporaryFolder, tensorflowWheel } from './fakes.fixture.ts';
import { downloadWheels, findPip, type Pip } from './pip.ts';

async function download(tools: FakeTools, requirements = ['tensorflow-cpu==2.21.0']) {
  const machine = fakeMachine(tools);
  const into = join(temporaryFolder(), 'download');
  mkdirSync(into);
  const pip: Pip = [join(machine.env.PATH!, 'python3'), '-m', 'pip'];
  const request = { requirements, platforms: ['manylinux_2_27_x86_64', 'manylinux2014_x86_64'], into };
  const rest = { pythonVersions: ['3.11', '3.12'], env: machine.env, log: () => undefined };
  const wheels = await downloadWheels(pip, { ...request, ...rest });
  return { wheels: wheels.map((path) => basename(path)), calls: machine.calls('pip') };
}

describe('findPip', () => {
  it('finds the pip of a Python on PATH', async () => {
    const { env } = fakeMachine({ pip: 'works' });
    expect((await findPip(env)).pip).toEqual([join(env.PATH!, 'python3'), '-m', 'pip']);
  });

  it.each([
    ['none', 'no Python with pip', /install/],
    ['no-pip', 'a Python without pip', /install/],
    ['old', 'pip 19.1, too old (needs 20.3)', /--upgrade pip/],
  ] as const)('says what is wrong: %s', async (pip, missing, fix) => {
    const search = await findPip(fakeMachine({ pip }).env);
    expect(search).toMatchObject({ missing, fix: expect.stringMatching(fix) });
  });
});

describe('downloadWheels', () => {
  it('asks for binary wheels of the named platforms and nothing else', async () => {
    const { wheels, calls } = await download({});
    expect(wheels).toEqual(['tensorflow_cpu__2_21_0.whl']);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toEqual(
      expect.arrayContaining([
        'download',
        '--no-deps',
        '--only-binary=:all:',
        '--python-version=3.11',
        '--platform=manylinux_2_27_x86_64',
        '--platform=manylinux2014_x86_64',
      ]),
    );
  });

  it('tries the next Python version when the index has no wheel for one', async () => {
    const { wheels, calls } = await download({ pythons: ['3.12'] });
    expect(wheels).toHaveLength(1);
    expect(calls.map((call) => call.find((arg) => arg.startsWith('--python-version')))).toEqual([
      '--python-version=3.11',
      '--python-version=3.12',
    ]);
  });

  it.each([
    ['offline', 'the package index cannot be reached', 'engine'],
    ['no-match', 'the package index has no wheel for this machine', 'engine'],
    ['bad-hash', 'does not have the checksum', 'engine'],
    ['full-disk', 'the disk is full', 'io'],
  ] as const)('explains %s', async (pip, what, kind) => {
    const failure = download({ pip, wheels: { 'tensorflow-cpu==2.21.0': tensorflowWheel() } });
    await expect(failure).rejects.toMatchObject({ kind, what: expect.stringContaining(what) });
  });
});
