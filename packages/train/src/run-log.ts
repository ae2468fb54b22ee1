import { openCsvLog } from './csv-log.ts';
import { openEventFile } from './event-file.ts';
import { appendRecord, type LogRecord, rewindLog } from './log.ts';
import type { RunFolder } from './run-folder.ts';
import type { RunState } from './run-state.ts';

/** What a run writes down as it goes: `log.jsonl`, the same as tables, and for TensorBoard. */
export interface RunLog {
  add(record: LogRecord): Promise<void>;
}

/** Opens the log of a new run, or of one that goes on from `resumed`: what it does not know of is forgotten everywhere. */
export async function openRunLog(
  folder: RunFolder,
  resumed?: { readonly checkpoint: RunState | undefined },
): Promise<RunLog> {
  const before = resumed && (await rewindLog(folder.log, resumed.checkpoint));
  const ofType = (type: LogRecord['type']) => (before ?? []).filter((record) => record.type === type);
  const steps = await openCsvLog(folder.steps, ofType('step'));
  const metrics = await openCsvLog(folder.metrics, ofType('evaluation'));
  const events = await openEventFile(folder.path, before);
  return {
    add: async (record) => {
      await appendRecord(folder.log, record);
      if (record.type === 'step') await steps.add(record);
      if (record.type === 'evaluation') await metrics.add(record);
      await events.add(record);
    },
  };
}
