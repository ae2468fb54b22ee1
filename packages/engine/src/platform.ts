import { readFileSync } from 'node:fs';

/** What must be known of a machine to say whether the native engine can run on it. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
  /** Version of the GNU C library, e.g. `2.36`; undefined elsewhere (musl, macOS, Windows). */
  readonly glibc: string | undefined;
  /** CPU feature names as Linux writes them; undefined when they cannot be read. */
  readonly cpuFlags: ReadonlySet<string> | undefined;
}

/** A machine for which there is a TensorFlow wheel. */
export interface NativeTarget {
  readonly arch: 'x64' | 'arm64';
  /** The name of the processor in wheel tags. */
  readonly machine: 'x86_64' | 'aarch64';
  readonly glibc: string;
  /** The instruction sets of the processor that compilers use, in one text; empty when they cannot be read. */
  readonly instructions: string;
}

/** Either a target, or the reason why there is none, without a full stop. */
export type NativeSupport =
  | { readonly target: NativeTarget; readonly reason?: undefined }
  | { readonly target?: undefined; readonly reason: string };

/** The TensorFlow wheels are built against this GNU C library (tag `manylinux_2_27`). */
const OLDEST_GLIBC_MINOR = 27;

/** Of all that Linux tells of a processor: what changes with the kernel or the machine around it is left out. */
const INSTRUCTIONS =
  /^(?:sse|ssse|pni|avx|fma|f16c|bmi|abm|popcnt|movbe|adx|v?aes|v?pclmul|gfni|sha|amx|xop|tbm|rdrnd|asimd|fp|sve|sme|atomics|i8mm|bf16|fcma|jscvt|lrcpc|dcpop|crc32|pmull)/;

/** Facts of the machine that runs this process. */
export function currentHost(): Host {
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: glibcVersion(),
    cpuFlags: readCpuFlags(),
  };
}

/** Whether the native engine can run on `host`, before anything is downloaded. */
export function nativeSupport(host: Host): NativeSupport {
  if (host.platform === 'darwin') return { reason: 'the native engine is not built for macOS yet' };
  if (host.platform === 'win32') {
    return { reason: 'the TensorFlow wheel for Windows has no C library to link against' };
  }
  if (host.platform !== 'linux') return { reason: `there is no TensorFlow for ${host.platform}` };
  const machine = host.arch === 'x64' ? 'x86_64' : host.arch === 'arm64' ? 'aarch64' : undefined;
  if (machine === undefined) return { reason: `there is no TensorFlow for ${host.arch} processors` };
  if (host.glibc === undefined) {
    return { reason: 'TensorFlow needs the GNU C library, and this Linux has another (musl)' };
  }
  if (glibcMinor(host.glibc) < OLDEST_GLIBC_MINOR) {
    return { reason: `TensorFlow needs glibc 2.${OLDEST_GLIBC_MINOR}, and this Linux has ${host.glibc}` };
  }
  if (machine === 'x86_64' && host.cpuFlags && !host.cpuFlags.has('avx')) {
    return { reason: 'TensorFlow needs a processor with AVX' };
  }
  const instructions = [...(host.cpuFlags ?? [])].filter((flag) => INSTRUCTIONS.test(flag)).sort();
  const arch = machine === 'x86_64' ? 'x64' : 'arm64';
  return { target: { arch, machine, glibc: host.glibc, instructions: instructions.join(' ') } };
}

/**
 * The wheel tags that `target` can run, newest first. pip expands a platform that is given to it only
 * in part, so each is named.
 */
export function wheelPlatforms(target: NativeTarget): string[] {
  const tags: string[] = [];
  for (let minor = glibcMinor(target.glibc); minor >= 17; minor--) {
    tags.push(`manylinux_2_${minor}_${target.machine}`);
  }
  tags.push(`manylinux2014_${target.machine}`);
  if (target.machine === 'x86_64') tags.push('manylinux1_x86_64');
  return tags;
}

/** Whether the driver of an NVIDIA GPU is loaded (also in containers and under WSL). */
export function hasNvidiaDriver(exists: (path: string) => boolean): boolean {
  return ['/dev/nvidiactl', '/proc/driver/nvidia/version', '/dev/dxg'].some(exists);
}

/** The second number of a glibc version (`2.36` → 36). */
function glibcMinor(version: string): number {
  const minor = Number(/^2\.(\d{1,3})/.exec(version)?.[1]);
  return Number.isNaN(minor) ? 0 : minor;
}

function glibcVersion(): string | undefined {
  if (process.platform !== 'linux' || !process.report) return undefined;
  // Without this the report looks up the names of network peers, which can take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const report: { header?: { glibcVersionRuntime?: unknown } } = process.report.getReport();
  const version = report.header?.glibcVersionRuntime;
  return typeof version === 'string' ? version : undefined;
}

/** The features of the processor as Linux names them; undefined where they cannot be read. */
export function readCpuFlags(): Set<string> | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return line?.[1] === undefined ? undefined : new Set(line[1].trim().split(/\s+/));
  } catch {
    return undefined;
  }
}
