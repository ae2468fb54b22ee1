import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let checkout = '';

/** A checkout of two small apps, whose set-up only says that it ran: the real one may go to the network. */
beforeAll(() => {
  checkout = mkdtempSync(join(realpathSync(tmpdir()), 'asmlp-demo-'));
  mkdirSync(join(checkout, 'scripts'));
  for (const file of ['package.json', 'scripts/demo.mjs']) cpSync(join(root, file), join(checkout, file));
  cpSync(join(root, 'scripts', 'setup.mjs'), join(checkout, 'scripts', 'real-setup.mjs'));
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  writeFileSync(
    join(checkout, 'scripts', 'setup.mjs'),
    `import { ROOT, SetupError, sourceEnvironment, sourceFlags } from './real-setup.mjs';
     export { ROOT, SetupError, sourceEnvironment, sourceFlags };
     export async function setup() {
       if (process.env.SETUP_FAILS) throw new SetupError('set-up: no', 3);
       console.log('set up');
     }`,
  );
  for (const app of ['first', 'second']) {
    mkdirSync(join(checkout, 'apps', app, 'src'), { recursive: true });
    writeFileSync(
      join(checkout, 'apps', app, 'src', 'main.ts'),
      `const [verb, ...rest]: string[] = process.argv.slice(2);
       process.on('SIGTERM', () => process.exit(130));
       if (rest[0] === 'wait') setInterval(() => undefined, 1000);
       console.log(JSON.stringify(['${app}', verb, ...rest, process.cwd()]));
       if (rest[0] === 'fail-${app}') process.exitCode = 7;`,
    );
  }
});

afterAll(() => rmSync(checkout, { recursive: true, force: true }));

const script = () => join(checkout, 'scripts', 'demo.mjs');

function demo(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const options = { encoding: 'utf8', cwd: checkout, env: { ...process.env, ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script(), ...args], options);
  return { status, stderr, lines: stdout.trim().split('\n') };
}

describe('demo.mjs', () => {
  it('sets up, then runs the demo of each app with the given options', () => {
    expect(demo(['--engine', 'wasm'])).toEqual({
      status: 0,
      stderr: '',
      lines: [
        'set up',
        JSON.stringify(['first', 'demo', '--engine', 'wasm', checkout]),
        JSON.stringify(['second', 'demo', '--engine', 'wasm', checkout]),
      ],
    });
  });

  it('gives each app a folder of its own below --out', () => {
    const folders = (...args: string[]) =>
      demo(args)
        .lines.slice(1)
        .map((line) => (JSON.parse(line) as string[]).slice(2, -1));
    const [first, second] = [join('x', 'first'), join('x', 'second')];
    expect(folders('--out', 'x')).toEqual([
      ['--out', first],
      ['--out', second],
    ]);
    expect(folders('--out=x')).toEqual([[`--out=${first}`], [`--out=${second}`]]);
  });

  it('tells of a failed demo by its exit code, and runs the others', () => {
    for (const app of ['first', 'second']) {
      const { status, lines } = demo([`fail-${app}`]);
      expect({ status, count: lines.length }, app).toEqual({ status: 7, count: 3 });
    }
  });

  it('works where the user stands when a package script starts it', () => {
    const env = { INIT_CWD: tmpdir(), npm_lifecycle_script: 'node scripts/demo.mjs' };
    expect(demo([], env).lines[1]).toBe(JSON.stringify(['first', 'demo', realpathSync(tmpdir())]));
  });

  it('runs no demo after a set-up that failed', () => {
    const result = demo([], { SETUP_FAILS: '1' });
    expect(result).toEqual({ status: 3, stderr: 'set-up: no\n', lines: [''] });
  });

  it('passes a signal on, waits for the demo and starts no other', async () => {
    const child = spawn(process.execPath, [script(), 'wait'], {
      cwd: checkout,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('first')) child.kill('SIGTERM');
    });
    expect(await ended).toBe(130);
    expect(output).not.toContain('second');
  });
});
