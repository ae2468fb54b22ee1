import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../terminal.fixture.ts';
import { gitState } from './provenance.ts';

const hasGit = (() => {
  try {
    execFileSync('git', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasGit)('gitState', () => {
  it('names commit, branch and changed files', async () => {
    const folder = scratchFolder();
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', folder, '-c', 'user.name=A', '-c', 'user.email=a@b', ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    git('init', '-b', 'work');
    expect(await gitState(folder)).toBeUndefined();
    writeFileSync(join(folder, 'a'), '1');
    git('add', 'a');
    git('commit', '-m', 'first');
    const commit = git('rev-parse', 'HEAD');
    writeFileSync(join(folder, 'new'), '');
    expect(await gitState(folder)).toEqual({ commit, branch: 'work', changed: 0 });
    writeFileSync(join(folder, 'a'), '2');
    expect(await gitState(folder)).toEqual({ commit, branch: 'work', changed: 1 });
  });
});
