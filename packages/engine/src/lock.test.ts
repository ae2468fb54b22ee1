import { spawn } from 'node:child_process';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './fakes.fixture.ts';
import { withLock } from './lock.ts';

const quick = { pollEvery: 5 };

/** A process id that is free: of a child that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.on('close', resolve));
  return child.pid!;
}

function holder(pid: number, host = hostname()): string {
  return JSON.stringify({ pid, host, token: 'other' });
}

describe('withLock', () => {
  it('lets one in at a time and cleans up', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'x.lock');
    let inside = 0;
    let most = 0;
    const work = () =>
      withLock(path, quick, async () => {
        inside++;
        most = Math.max(most, inside);
        await sleep(10);
        inside--;
      });
    await Promise.all([work(), work(), work(), work()]);
    expect(most).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gives the result and lets go after a failure', async () => {
    const path = join(temporaryFolder(), 'x.lock');
    await expect(
      withLock(path, quick, async () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await withLock(path, quick, async () => 7)).toBe(7);
  });

  it('takes over from a process that is gone', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'x.lock');
    writeFileSync(path, holder(await deadPid()));
    expect(await withLock(path, quick, async () => 1)).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes over from a holder elsewhere that stopped touching its file', async () => {
    const path = join(temporaryFolder(), 'x.lock');
    writeFileSync(path, holder(1, 'another-host'));
    const old = new Date(Date.now() - 120_000);
    utimesSync(path, old, old);
    expect(await withLock(path, quick, async () => 1)).toBe(1);
  });

  it('takes over a file that makes no sense, once it is old', async () => {
    const path = join(temporaryFolder(), 'x.lock');
    writeFileSync(path, '{"pid": 1');
    const old = new Date(Date.now() - 120_000);
    utimesSync(path, old, old);
    expect(await withLock(path, quick, async () => 1)).toBe(1);
  });

  it('waits for a living holder and says so once', async () => {
    const path = join(temporaryFolder(), 'x.lock');
    writeFileSync(path, holder(process.pid));
    const waits: number[] = [];
    let entered = false;
    const waiting = withLock(path, { ...quick, onWait: (pid) => waits.push(pid) }, async () => {
      entered = true;
    });
    await sleep(60);
    expect(entered).toBe(false);
    writeFileSync(path, holder(await deadPid()));
    await waiting;
    expect(waits).toEqual([process.pid]);
  });

  it('keeps its file fresh, so that nobody takes over slow work', async () => {
    const path = join(temporaryFolder(), 'x.lock');
    const settings = { ...quick, staleAfter: 60 };
    const order: string[] = [];
    const slow = withLock(path, settings, async () => {
      await sleep(300);
      order.push('slow');
    });
    await sleep(10);
    await withLock(path, settings, async () => order.push('next'));
    await slow;
    expect(order).toEqual(['slow', 'next']);
    expect(existsSync(path)).toBe(false);
  });
});
