import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let checkout = '';

/** A checkout with one app of three lines, and the packages of this one. */
beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'asmlp-checkout-'));
  mkdirSync(join(checkout, 'apps', 'echo', 'src'), { recursive: true });
  for (const file of ['package.json', 'scripts/setup.mjs', 'scripts/run.mjs']) {
    cpSync(join(root, file), join(checkout, file));
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  writeFileSync(
    join(checkout, 'apps', 'echo', 'src', 'main.ts'),
    `const [word, ...rest]: string[] = process.argv.slice(2);
     process.on('SIGTERM', () => process.exit(9));
     if (word === 'wait') setInterval(() => undefined, 1000);
     console.log(JSON.stringify([word, ...rest, process.cwd()]));
     if (word === 'fail') process.exitCode = 7;`,
  );
});

afterAll(() => rmSync(checkout, { recursive: true, force: true }));

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const script = join(checkout, 'scripts', 'run.mjs');
  const options = { encoding: 'utf8', cwd: checkout, env: { ...process.env, ...env } } as const;
  return spawnSync(process.execPath, [script, ...args], options);
}

describe('run.mjs', () => {
  it('passes arguments and output through, and adds nothing', () => {
    const result = run(['echo', '--json', '-', 'a b', '--conditions=x']);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout).toBe(`${JSON.stringify(['--json', '-', 'a b', '--conditions=x', checkout])}\n`);
  });

  it('passes the exit code on', () => {
    expect(run(['echo', 'fail']).status).toBe(7);
  });

  it('passes a signal on and lets the app end in its own way', async () => {
    const script = join(checkout, 'scripts', 'run.mjs');
    const child = spawn(process.execPath, [script, 'echo', 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(9);
  });

  it('works where the user stands when a package script starts it', () => {
    const env = { INIT_CWD: tmpdir(), npm_lifecycle_script: 'node scripts/run.mjs echo' };
    expect(JSON.parse(run(['echo', 'x'], env).stdout)).toEqual(['x', tmpdir()]);
    const inherited = { ...env, npm_lifecycle_script: 'vitest run' };
    expect(JSON.parse(run(['echo', 'x'], inherited).stdout)).toEqual(['x', checkout]);
  });

  it('names the apps when there is no such one', () => {
    const result = run(['ecko']);
    expect(result).toMatchObject({ status: 2, stdout: '' });
    expect(result.stderr).toBe('run: there is no app "ecko". Use one of: echo\n');
  });

  it('says what to do before the set-up', () => {
    const bare = mkdtempSync(join(tmpdir(), 'asmlp-bare-'));
    for (const part of ['package.json', 'scripts', 'apps']) {
      cpSync(join(checkout, part), join(bare, part), { recursive: true });
    }
    const result = spawnSync(process.execPath, [join(bare, 'scripts', 'run.mjs'), 'echo'], {
      encoding: 'utf8',
    });
    rmSync(bare, { recursive: true });
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toBe('The packages are not installed yet. Run `npm run setup` first.\n');
  });
});

describe('setup.mjs', () => {
  it('refuses a Node that is too old, in words', () => {
    const check = (version: string) =>
      spawnSync(
        process.execPath,
        [
          '-e',
          `import('./scripts/setup.mjs').then((m) => m.checkNode('${version}')).catch((e) => console.log(e.message))`,
        ],
        { cwd: root, encoding: 'utf8' },
      ).stdout;
    expect(check('20.18.3')).toMatch(
      /^set-up: Node 20\.18\.3 is too old, this project needs 20\.19 or newer/,
    );
    expect(check('18.20.0')).toMatch(/too old/);
    expect(check('20.19.0')).toBe('');
    expect(check('24.0.0')).toBe('');
  });
});
