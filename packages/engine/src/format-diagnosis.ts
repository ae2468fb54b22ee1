import { homedir } from 'node:os';
import { ENGINE_COST } from './choice.ts';
import type { Diagnosis } from './diagnose.ts';

/** The report of `diagnose` as lines for a person, without a final line break. */
export function formatDiagnosis(report: Diagnosis): string {
  const { asked, precision, versions, machine, tools, cache } = report;
  const tensorflow = versions.tensorflow ? `TensorFlow ${versions.tensorflow}, ` : '';
  const onnx = versions.onnxRuntime ? `ONNX Runtime ${versions.onnxRuntime}, ` : '';
  const features = machine.features
    ? Object.entries(machine.features)
        .map(([name, there]) => `${name} ${there ? 'yes' : 'no'}`)
        .join(', ')
    : 'not told by this system';
  const wanted = [
    asked.engine !== 'auto' && asked.engine,
    asked.device !== 'auto' && `device ${asked.device}`,
    asked.precision !== 'float32' && `precision ${asked.precision}`,
  ];
  const rows: [label: string, ...lines: string[]][] = [
    ['engine', engineLine(report)],
    ['precision', precision.note ?? precision.used],
    ['asked for', wanted.filter(Boolean).join(', ') || 'the best there is'],
    [
      'versions',
      `as-mlp ${versions.project}, ${tensorflow}${onnx}TensorFlow.js ${versions.tfjs}, Node ${versions.node}`,
    ],
    [
      'machine',
      [machine.platform, machine.arch, machine.glibc && `glibc ${machine.glibc}`].filter(Boolean).join(' '),
      `${machine.cpu}, ${count(machine.cores, 'core')}, ${gigabytes(machine.memory)} memory (${gigabytes(machine.freeMemory)} free)`,
      features,
      ...machine.gpus.map((name) => `GPU ${name}`),
    ],
    ['tools', `pip: ${tools.pip ?? 'none'}`, `C++ compiler: ${tools.compiler ?? 'none'}`],
    [
      'cache',
      `${tilde(cache.folder)}, ${megabytes(cache.bytes)}`,
      ...cache.items.map(
        (item) => `${item.name}, ${megabytes(item.bytes)}${item.complete ? '' : ', incomplete'}`,
      ),
    ],
    [
      'missing',
      ...(report.missing.length === 0 ? ['nothing'] : []),
      ...report.missing.map(({ what, fix }) => (fix ? `${what}: ${fix}` : what)),
    ],
  ];
  return rows
    .flatMap(([label, ...lines]) => lines.map((line, i) => `${(i === 0 ? label : '').padEnd(11)}${line}`))
    .join('\n');
}

function engineLine(report: Diagnosis): string {
  if (report.engine === null) return 'none: what was asked for does not work here';
  const device = report.engine === 'native' ? ` on the ${report.device?.toUpperCase()}` : '';
  return `${report.engine}${device}, ${ENGINE_COST[report.engine]}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

function tilde(path: string): string {
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;
}
