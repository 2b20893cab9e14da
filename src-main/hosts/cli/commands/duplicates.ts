import path from 'node:path';
import process from 'node:process';
import { emptyFilter } from '../../../../shared/api.ts';
import type { ClassId, Cluster, SampleCard, SampleId } from '../../../../shared/domain.ts';
import { AppError } from '../../../../shared/result.ts';
import { withService, type DirectClient } from '../direct-client.ts';
import { printJson, printLine, say } from '../output.ts';
import { createProgress } from '../progress.ts';
import { formatCount, formatNumber, printable } from '../text.ts';

export interface DuplicatesOptions {
  json?: true;
}

/** One line of `winnow duplicates --json`. */
interface DuplicateGroup {
  kind: Cluster['kind'];
  /** Whether their labels differ. */
  conflict: boolean;
  /** `label`: after the decisions; null where it was dropped. */
  images: { file: string; label: string | null }[];
}

/** Enough to look at in a terminal; machines get everything. */
const groupsForPeople = 50;
/** Cards are fetched in portions that the API allows. */
const cardsPerRequest = 1000;

export async function duplicatesCommand(project: string, options: DuplicatesOptions): Promise<number> {
  return await withService(async (client) => {
    const { classes } = await client.call('openProject', { path: path.resolve(project) });
    const clusters = await findClusters(client);
    const names = new Map(classes.map(({ id, name }) => [id, name]));
    const shown = options.json ? clusters : clusters.slice(0, groupsForPeople);
    const cards = await cardsById(
      client,
      shown.flatMap(({ sampleIds }) => sampleIds),
    );
    const groups = shown.map((cluster) => toGroup(cluster, cards, names));
    if (options.json) printJson(groups);
    else printGroups(groups, clusters);
    return 0;
  });
}

async function findClusters(client: DirectClient): Promise<Cluster[]> {
  const progress = createProgress('Comparing', process.stderr);
  let wake = (): void => undefined;
  const stop = client.subscribe('preparation', ({ what, done, total, finished }) => {
    if (what !== 'clusters') return;
    if (finished) wake();
    const text = `${formatNumber(done)} of ${formatCount(total, 'image')}`;
    progress.update({ fraction: total === 0 ? null : done / total, text, secondsLeft: null });
  });
  try {
    for (;;) {
      const finished = new Promise<void>((resolve) => (wake = resolve));
      const answer = await client.call('listClusters', { filter: emptyFilter });
      if (answer.status === 'ready') return answer.value;
      if (answer.status === 'unavailable') throw new AppError('internal', answer.reason);
      await finished;
    }
  } finally {
    stop();
    progress.end();
  }
}

async function cardsById(client: DirectClient, ids: readonly SampleId[]): Promise<Map<SampleId, SampleCard>> {
  const cards = new Map<SampleId, SampleCard>();
  for (let start = 0; start < ids.length; start += cardsPerRequest) {
    const some = await client.call('getSamples', { ids: ids.slice(start, start + cardsPerRequest) });
    for (const card of some) cards.set(card.id, card);
  }
  return cards;
}

function toGroup(
  { sampleIds, kind, conflict }: Cluster,
  cards: ReadonlyMap<SampleId, SampleCard>,
  names: ReadonlyMap<ClassId, string>,
): DuplicateGroup {
  const images = sampleIds.flatMap((id) => {
    const card = cards.get(id);
    if (card === undefined) return [];
    const label = card.currentClassId === null ? null : (names.get(card.currentClassId) ?? '');
    return [{ file: card.path, label }];
  });
  return { kind, conflict, images };
}

function printGroups(groups: readonly DuplicateGroup[], all: readonly Cluster[]): void {
  if (all.length === 0) {
    printLine('No two images look nearly the same.');
    return;
  }
  const conflicts = all.filter(({ conflict }) => conflict).length;
  printLine(
    `${formatCount(all.length, 'group')} of images that look nearly the same; in ${formatNumber(conflicts)} of them the labels differ.`,
  );
  for (const { kind, conflict, images } of groups) {
    printLine(`\n${kind === 'identical' ? 'the same bytes' : 'nearly the same'}${conflict ? ', labels differ' : ''}`);
    const width = Math.max(...images.map(({ label }) => shownLabel(label).length));
    for (const { file, label } of images) printLine(`  ${shownLabel(label).padEnd(width)}  ${printable(file)}`);
  }
  if (all.length > groups.length) say(`… ${formatNumber(all.length - groups.length)} more; see --json`);
}

function shownLabel(label: string | null): string {
  return label === null ? '(dropped)' : printable(label);
}
