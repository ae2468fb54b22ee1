import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFileAtomic } from '@as-mlp/base/node';
import {
  type DataSummary,
  type LoopRecipe,
  planTraining,
  runFolder,
  type Task,
  type TrainingData,
} from '@as-mlp/train';
import { packageVersion } from '../version.ts';
import { reportPage } from './page.ts';
import { fileHash, gitState } from './provenance.ts';
import { renderSections } from './render-sections.ts';
import { readRunData } from './run-data.ts';

/** What is reported on. */
export interface TrainingReportOptions {
  /** The run folder. */
  readonly folder: string;
  /** The data set, as it was named. */
  readonly source: string;
  readonly recipe: LoopRecipe;
  readonly task: Pick<Task<unknown>, 'name' | 'metric' | 'sections'>;
  readonly data: Pick<TrainingData<unknown>, 'batchesPerEpoch' | 'summary'>;
}

/** The report of a run while it goes on. */
export interface TrainingReport {
  /** `report.html` in the run folder. */
  readonly path: string;
  /** Writes the report after an evaluation: the task still knows what it found. */
  evaluated(): Promise<void>;
  /** Writes it a last time with what is known by then. */
  end(status: string): Promise<void>;
}

/** A report that is written to `report.html` in the run folder, whole or not at all. */
export async function createTrainingReport(options: TrainingReportOptions): Promise<TrainingReport> {
  const { folder, source, recipe, task, data } = options;
  const path = join(folder, 'report.html');
  const { best } = runFolder(folder);
  const git = await gitState(process.cwd());
  const { updatesPerEpoch } = planTraining(recipe, data.batchesPerEpoch);
  let sections: string | undefined;

  const write = async (status?: string) => {
    const run = await readRunData(folder);
    const page = reportPage({
      run,
      task: task.name,
      metric: task.metric,
      recipe,
      updatesPerEpoch,
      status: status ?? `after epoch ${run.evaluations.at(-1)?.epoch} of ${recipe.epochs}`,
      folder: resolve(folder),
      data: source,
      version: packageVersion(),
      counts: countsOf(data.summary?.()),
      git,
      bestHash: existsSync(best) ? await fileHash(best) : undefined,
      sections: sections ?? '',
    });
    await writeFileAtomic(path, page);
  };

  return {
    path,
    evaluated: async () => {
      sections = await renderSections((await task.sections?.()) ?? []);
      await write();
    },
    end: async (status) => {
      // Without an evaluation in this process the report that is there knows more.
      if (sections !== undefined || !existsSync(path)) await write(status);
    },
  };
}

function countsOf(summary: DataSummary | undefined): Record<string, number> {
  if (!summary) return {};
  const { classes, training, validation } = summary;
  return { classes: classes.length, 'training images': training, 'held-out images': validation };
}
