import { describe, expect, it } from 'vitest';
import { LINUX } from './fakes.fixture.ts';
import { hasNvidiaDriver, nativeSupport, wheelPlatforms } from './platform.ts';

describe('nativeSupport', () => {
  it('knows Linux on x86_64 and aarch64', () => {
    const x64 = nativeSupport({ ...LINUX, cpuFlags: new Set(['tsc', 'avx2', 'avx', 'hypervisor']) });
    const instructions = 'avx avx2';
    expect(x64.target).toEqual({ arch: 'x64', machine: 'x86_64', glibc: '2.36', instructions });
    const arm = nativeSupport({ ...LINUX, arch: 'arm64', cpuFlags: new Set(['asimd']) });
    expect(arm.target).toMatchObject({ arch: 'arm64', machine: 'aarch64', instructions: 'asimd' });
    expect(nativeSupport({ ...LINUX, cpuFlags: undefined }).target?.instructions).toBe('');
  });

  it.each([
    [{ platform: 'darwin' }, /macOS/],
    [{ platform: 'win32' }, /Windows/],
    [{ platform: 'freebsd' }, /freebsd/],
    [{ arch: 'riscv64' }, /riscv64/],
    [{ glibc: undefined }, /musl/],
    [{ glibc: '2.17' }, /needs glibc 2\.27, and this Linux has 2\.17/],
    [{ cpuFlags: new Set(['sse4_2']) }, /AVX/],
  ])('says why not: %o', (change, reason) => {
    expect(nativeSupport({ ...LINUX, ...change }).reason).toMatch(reason);
  });
});

describe('wheelPlatforms', () => {
  it('names every tag down from the C library of the machine', () => {
    const tags = wheelPlatforms({ arch: 'x64', machine: 'x86_64', glibc: '2.28', instructions: '' });
    expect(tags.slice(0, 3)).toEqual([
      'manylinux_2_28_x86_64',
      'manylinux_2_27_x86_64',
      'manylinux_2_26_x86_64',
    ]);
    expect(tags.slice(-3)).toEqual(['manylinux_2_17_x86_64', 'manylinux2014_x86_64', 'manylinux1_x86_64']);
    expect(
      wheelPlatforms({ arch: 'arm64', machine: 'aarch64', glibc: '2.28', instructions: '' }).at(-1),
    ).toBe('manylinux2014_aarch64');
  });
});

describe('hasNvidiaDriver', () => {
  it('looks for the device of the driver', () => {
    expect(hasNvidiaDriver((path) => path === '/dev/nvidiactl')).toBe(true);
    expect(hasNvidiaDriver(() => false)).toBe(false);
  });
});
