import { AsMlpError } from '@as-mlp/base';
import type { Verb } from './cli.ts';
import { addComputeOptions, type EngineFlags } from './options.ts';
import { writeJson } from './outputs.ts';

/** `doctor`: what computes here, what is missing and the command that mends it. Exit code 1 when the asked engine is unusable. */
export const doctorVerb: Verb = (program, cli) => {
  const command = program
    .command('doctor')
    .description('say what computes here, what is missing and how to mend it')
    .option('--json [file]', 'as JSON; standard output unless a file is given');
  addComputeOptions(command).action(async (flags: EngineFlags & { json?: string | true }) => {
    const { diagnose, formatDiagnosis } = await import('@as-mlp/engine');
    const { engine, device, precision } = flags;
    const report = await diagnose({ engine, device, precision });
    if (flags.json === undefined) cli.terminal.out(`${formatDiagnosis(report).trimEnd()}\n`);
    else await writeJson(flags.json === true ? '-' : flags.json, report, cli.terminal);
    if (!report.usable)
      cli.fail(
        new AsMlpError('engine', { what: 'the engine that was asked for cannot be used', fix: 'See above' }),
      );
  });
};
