import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  type FakeMachine,
  type FakeTools,
  fakeMachine,
  LINUX,
  makeWheel,
  temporaryFolder,
  tensorflowWheel,
} from './fakes.fixture.ts';
import { type PrepareOptions, prepareEngine } from './install.ts';
import { findNative } from './installed.ts';
import { onnxRuntimeVersion } from './onnx/session.ts';

/** What runs without the native engine. */
const NEXT = onnxRuntimeVersion() === undefined ? 'wasm' : 'onnx';

const LIBRARIES = 'tensorflow-2.21.0-cpu-linux-x64';

/** `prepareEngine` on a pretended machine, with the lines that it logged. */
async function prepare(machine: FakeMachine, options: PrepareOptions = {}) {
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  return { ...(await prepareEngine({ env: machine.env, host: LINUX, log, ...options })), lines };
}

async function found(machine: FakeMachine, device: 'auto' | 'gpu' = 'auto') {
  return (await findNative(device, { env: machine.env, host: LINUX })).native;
}

/** The real command in a process of its own, with the pretended programs. */
function runMain(machine: FakeMachine, args: readonly string[] = []) {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const main = fileURLToPath(new URL('install-main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', loader, '--conditions=source', main, ...args], {
    env: machine.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += `stdout: ${chunk}`;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output }));
  });
  return { child, ended };
}

describe('prepareEngine', () => {
  it('fetches, compiles and checks once; a second time it starts no program', async () => {
    const machine = fakeMachine();
    const first = await prepare(machine);
    expect(first).toMatchObject({ engine: 'native', tensorflow: '2.21.0', changed: true });
    expect(first.lines.join('\n')).toMatch(/tensorflow-cpu 2\.21\.0 through pip[\s\S]*addon compiled/);
    expect(await prepare(machine)).toMatchObject({ engine: 'native', changed: false, lines: [] });
    expect([machine.calls('pip').length, machine.calls('compiler').length]).toEqual([1, 2]);
  });

  it('keeps the libraries, headers and licences, and nothing of Python', async () => {
    const machine = fakeMachine();
    await prepare(machine);
    const entry = join(machine.cache, LIBRARIES);
    expect(readdirSync(entry).sort()).toEqual(['complete.json', 'package-1.dist-info', 'tensorflow']);
    expect(readdirSync(join(entry, 'tensorflow')).sort()).toEqual([
      'THIRD_PARTY_NOTICES.txt',
      'include',
      'libtensorflow_cc.so.2',
      'libtensorflow_framework.so.2',
    ]);
    const [call] = machine.calls('compiler');
    expect(call).toEqual(
      expect.arrayContaining(['-l:libtensorflow_cc.so.2', '-DNAPI_VERSION=8', '-std=c++17']),
    );
    expect(call).toContain(`-Wl,-rpath,$ORIGIN/../${LIBRARIES}/tensorflow`);
  });

  it.each<[string, FakeTools, RegExp]>([
    [
      'no Python',
      { pip: 'none' },
      /^no native engine: there is no Python with pip; the (onnx|wasm) engine runs instead, .*slower\. .*install.*python/i,
    ],
    ['no compiler', { compiler: 'none' }, /there is no C\+\+ compiler; the (onnx|wasm) engine runs instead/],
    ['neither', { pip: 'none', compiler: 'none' }, /there is no Python with pip and no C\+\+ compiler;/],
    ['no network', { pip: 'offline' }, /the package index cannot be reached/],
    ['a compiler that fails', { compiler: 'fails' }, /does not compile \(.*fatal error/],
    ['a processor that is too old', { runs: false }, /lacks instructions/],
    [
      'a damaged wheel',
      {
        wheels: {
          'tensorflow-cpu==2.21.0': tensorflowWheel({ tampered: ['tensorflow/libtensorflow_cc.so.2'] }),
        },
      },
      /differs from its RECORD/,
    ],
  ])('goes on with the next engine and says so in one line: %s', async (_name, tools, notice) => {
    const machine = fakeMachine(tools);
    const prepared = await prepare(machine);
    expect(prepared).toMatchObject({ engine: NEXT, changed: false });
    expect(prepared.notice).toMatch(notice);
    expect(prepared.notice).not.toContain('\n');
    expect(prepared.notice).toContain('`npm run setup');
    await expect(prepare(machine, { engine: 'native' })).rejects.toMatchObject({ name: 'AsMlpError' });
    expect(await found(machine)).toBeUndefined();
  });

  it('downloads nothing when the compiler is missing', async () => {
    const machine = fakeMachine({ compiler: 'none' });
    await prepare(machine);
    expect(machine.calls('pip')).toEqual([]);
  });

  it('needs no Python again when only the addon is gone, and no addon that is there', async () => {
    const machine = fakeMachine();
    await prepare(machine);
    const addon = (await found(machine))!.addon.path;
    rmSync(addon);
    rmSync(join(machine.env.PATH!, 'python3'));
    expect(await prepare(machine)).toMatchObject({ engine: 'native', changed: true });
    expect([machine.calls('pip').length, machine.calls('compiler').length]).toEqual([1, 4]);
  });

  it('fetches a library again that lost its end', async () => {
    const machine = fakeMachine();
    await prepare(machine);
    truncateSync(join(machine.cache, LIBRARIES, 'tensorflow', 'libtensorflow_cc.so.2'), 3);
    expect(await found(machine)).toBeUndefined();
    expect(await prepare(machine)).toMatchObject({ engine: 'native', changed: true });
    expect(machine.calls('pip')).toHaveLength(2);
  });

  it('fetches everything anew when forced', async () => {
    const machine = fakeMachine();
    await prepare(machine);
    await prepare(machine, { force: true });
    expect([machine.calls('pip').length, machine.calls('compiler').length]).toEqual([2, 4]);
  });

  it('prepares nothing for another engine', async () => {
    const machine = fakeMachine();
    expect(await prepare(machine, { engine: 'wasm' })).toMatchObject({ engine: 'wasm', changed: false });
    const env = { ...machine.env, ASMLP_ENGINE: 'cpu' };
    expect(await prepare(machine, { env })).toMatchObject({ engine: 'cpu' });
    expect(existsSync(machine.cache)).toBe(false);
    await expect(prepare(machine, { engine: 'nativ' })).rejects.toThrow('Did you mean native?');
  });

  it('says why where there is no TensorFlow for the machine', async () => {
    const machine = fakeMachine();
    const mac = { ...LINUX, platform: 'darwin' };
    expect((await prepare(machine, { host: mac })).notice).toMatch(
      /not built for macOS.*the (onnx|wasm) engine runs/,
    );
    await expect(prepare(machine, { host: mac, engine: 'native' })).rejects.toMatchObject({ kind: 'engine' });
  });

  it('says so when the cache cannot be written', async () => {
    const machine = fakeMachine();
    writeFileSync(machine.cache, 'a file in the way');
    expect((await prepare(machine)).notice).toMatch(/engine cache cannot be written.*ASMLP_CACHE_DIR/);
  });

  it('lays CUDA libraries beside TensorFlow as in site-packages', async () => {
    const nccl = makeWheel({
      'nvidia/nccl/lib/libnccl.so.2': 'nccl',
      'nvidia/nccl/include/nccl.h': 'not wanted',
      'nvidia/__init__.py': 'not wanted',
    });
    const wheels = { 'tensorflow==2.21.0': tensorflowWheel(), 'nvidia-nccl-cu12<3.0,>=2.27.7': nccl };
    const machine = fakeMachine({ wheels });
    await prepare(machine, { cuda: true });
    const native = (await found(machine, 'gpu'))!;
    expect(native.libraries.variant).toBe('cuda');
    const site = join(native.libraries.lib, '..');
    expect(readFileSync(join(site, 'nvidia/nccl/lib/libnccl.so.2'), 'utf8')).toBe('nccl');
    expect(existsSync(join(site, 'nvidia/nccl/include'))).toBe(false);
    expect(existsSync(join(site, 'nvidia/__init__.py'))).toBe(false);
    // A CUDA build serves processors too: nothing more is fetched.
    expect(await prepare(machine)).toMatchObject({ engine: 'native', changed: false });
    const arm = { ...LINUX, arch: 'arm64' };
    await expect(prepare(machine, { cuda: true, host: arm })).rejects.toThrow('x86_64 only');
  });

  it('takes the wheel without CUDA on aarch64', async () => {
    const machine = fakeMachine({ wheels: { 'tensorflow==2.21.0': tensorflowWheel() } });
    const host = { ...LINUX, arch: 'arm64', cpuFlags: new Set<string>() };
    expect(await prepare(machine, { host })).toMatchObject({ engine: 'native' });
    expect(machine.calls('pip')[0]).toContain('--platform=manylinux_2_27_aarch64');
  });

  it.each([
    [
      'libtensorflow',
      ['lib/libtensorflow.so.2', 'lib/libtensorflow_framework.so.2', 'include/tensorflow/c/c_api.h'],
    ],
    [
      'a Python package',
      ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2', 'include/tensorflow/c/c_api.h'],
    ],
  ])('uses an existing TensorFlow: %s', async (_name, files) => {
    const folder = temporaryFolder();
    for (const file of files) {
      mkdirSync(join(folder, file, '..'), { recursive: true });
      writeFileSync(join(folder, file), 'x');
    }
    const machine = fakeMachine({ pip: 'none' });
    machine.env.ASMLP_TENSORFLOW_DIR = folder;
    expect(await prepare(machine)).toMatchObject({ engine: 'native', changed: true });
    expect(await prepare(machine)).toMatchObject({ changed: false });
    // Another build at the same place is another addon.
    writeFileSync(join(folder, files[0]!), 'a newer build');
    expect(await prepare(machine)).toMatchObject({ changed: true });
  });

  it('refuses a folder that holds no TensorFlow', async () => {
    const machine = fakeMachine();
    machine.env.ASMLP_TENSORFLOW_DIR = temporaryFolder();
    expect((await prepare(machine)).notice).toContain('holds no TensorFlow C library');
    await expect(prepare(machine, { engine: 'native' })).rejects.toThrow('ASMLP_TENSORFLOW_DIR=');
  });
});

describe('the set-up command', () => {
  it('downloads once when two run at the same time', async () => {
    const machine = fakeMachine({ downloadTime: 500 });
    const runs = await Promise.all([runMain(machine).ended, runMain(machine).ended]);
    expect(runs).toEqual([0, 0].map((code) => ({ code, output: expect.stringContaining('2.21.0 ready') })));
    expect([machine.calls('pip').length, machine.calls('compiler').length]).toEqual([1, 2]);
    expect(readdirSync(machine.cache).sort()).toEqual([expect.stringMatching(/^addon-/), LIBRARIES]);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'leaves nothing that the next run trips over: %s',
    async (signal) => {
      const machine = fakeMachine({ pip: 'hangs' });
      const { child, ended } = runMain(machine);
      // The call before it asks pip for its version.
      const downloads = () => machine.calls('pip').some((call) => call.includes('download'));
      while (!downloads() && child.exitCode === null) await sleep(20);
      child.kill(signal);
      expect((await ended).output).toBe(
        'engine: fetching tensorflow-cpu 2.21.0 through pip (once per user)\n',
      );
      if (signal === 'SIGTERM') expect(readdirSync(machine.cache)).toEqual([]);
      const healthy = fakeMachine();
      healthy.env.ASMLP_CACHE_DIR = machine.cache;
      expect(await prepare(healthy)).toMatchObject({ engine: 'native', changed: true });
      expect(readdirSync(machine.cache).sort()).toEqual([expect.stringMatching(/^addon-/), LIBRARIES]);
    },
  );

  it('exits 0 with a notice, 1 when native was asked for, 2 for wrong usage', async () => {
    const machine = fakeMachine({ compiler: 'none' });
    const auto = await runMain(machine, ['--quiet']).ended;
    expect(auto).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^engine: no native engine: .*\n$/),
    });
    expect(await runMain(machine, ['--engine', 'native']).ended).toMatchObject({ code: 1 });
    const wrong = await runMain(machine, ['--engin', 'native']).ended;
    expect(wrong).toMatchObject({
      code: 2,
      output: expect.stringContaining('--engine native|onnx|wasm|cpu'),
    });
  });
});
