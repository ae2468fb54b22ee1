import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AsMlpError } from '@as-mlp/base';
import { cacheRoot, ensureEntry } from '../../packages/engine/src/cache.ts';
import { lastWords, runCommand } from '../../packages/engine/src/command.ts';

const REQUIREMENTS = fileURLToPath(new URL('./peers/requirements.txt', import.meta.url));

/**
 * The Python of an environment that holds the peers, made once per user and list of versions.
 *
 * @throws AsMlpError `engine` when there is no Python, or the packages cannot be had.
 */
export async function peerPython(log: (line: string) => void): Promise<string> {
  const requirements = await readFile(REQUIREMENTS);
  const name = `peers-${createHash('sha256').update(requirements).digest('hex').slice(0, 8)}`;
  const { folder } = await ensureEntry(cacheRoot(process.env), name, { log }, async (work) => {
    log('peers: installing PyTorch, ONNX Runtime and Pillow');
    const onWait = (elapsed: number) => log(`peers: still installing, ${Math.round(elapsed / 1000)} s`);
    await run(['python3', '-m', 'venv', work], 'Install Python 3 with its venv module', onWait);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
    await run([pythonOf(work), ...pip], 'Connect once, or give pip a mirror', onWait);
    const marker = 'pyvenv.cfg';
    const { size } = await stat(join(work, marker));
    return { about: { requirements: requirements.toString() }, files: [{ path: marker, size }] };
  });
  return pythonOf(folder);
}

/** Started by its path it finds its packages, also after the folder took its final name. */
function pythonOf(folder: string): string {
  return process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
}

async function run(
  command: readonly [string, ...string[]],
  fix: string,
  onWait: (elapsed: number) => void,
): Promise<void> {
  const { code, stdout, stderr } = await runCommand(command, { env: process.env, onWait });
  if (code === 0) return;
  const what = `${command.slice(0, 3).join(' ')} failed (${lastWords(stderr || stdout)})`;
  throw new AsMlpError('engine', { where: '--peers', what, fix });
}
