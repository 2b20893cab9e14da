import path from 'node:path';
import { emptyFilter, type ProjectSummary } from '../../../../shared/api.ts';
import type { SampleCard } from '../../../../shared/domain.ts';
import { AppError } from '../../../../shared/result.ts';
import type { DirectClient } from '../direct-client.ts';
import { withService } from '../direct-client.ts';
import { printJson, printLine } from '../output.ts';
import { formatTable, printable } from '../text.ts';

export interface NeighboursOptions {
  limit: number;
  json?: true;
}

export async function neighboursCommand(project: string, image: string, options: NeighboursOptions): Promise<number> {
  return await withService(async (client) => {
    const summary = await client.call('openProject', { path: path.resolve(project) });
    const { id } = await requireSample(client, summary, image);
    const neighbours = await client.call('listNeighbours', { id, limit: options.limit });
    if (neighbours.length === 0) {
      throw new AppError(
        'not-found',
        `No run has looked at ${image} and its like yet. Run "winnow train ${project}" first.`,
      );
    }
    const cards = await client.call('getSamples', { ids: neighbours.map(({ sampleId }) => sampleId) });
    const cardsById = new Map(cards.map((card) => [card.id, card]));
    const names = new Map(summary.classes.map((one) => [one.id, one.name]));
    const found = neighbours.flatMap(({ sampleId, similarity }) => {
      const card = cardsById.get(sampleId);
      return card === undefined ? [] : [{ file: card.path, given: names.get(card.givenClassId) ?? '', similarity }];
    });
    if (options.json) {
      printJson(found);
      return 0;
    }
    const rows = found.map(({ file, given, similarity }) => [printable(file), printable(given), similarity.toFixed(3)]);
    printLine(formatTable(['file', 'given', 'similarity'], rows, new Set([2])));
    return 0;
  });
}

/** The sample of a path that is relative to the image folder, or to the working folder, or absolute. */
async function requireSample(
  client: DirectClient,
  { path: projectFile, imageFolder }: ProjectSummary,
  image: string,
): Promise<SampleCard> {
  const names = [image, path.relative(imageFolder, path.resolve(image))].map((name) => name.split(path.sep).join('/'));
  for (const name of names) {
    const { ids } = await client.call('queryQueue', { filter: { ...emptyFilter, search: name }, sort: 'path' });
    for (let start = 0; start < ids.length; start += cardsPerRequest) {
      const cards = await client.call('getSamples', { ids: [...ids.subarray(start, start + cardsPerRequest)] });
      const sample = cards.find((card) => card.path === name);
      if (sample !== undefined) return sample;
    }
  }
  throw new AppError('not-found', `${projectFile} has no image ${image}. Name it as its path in ${imageFolder}.`);
}

/** Cards are fetched in portions that the API allows. */
const cardsPerRequest = 1000;
