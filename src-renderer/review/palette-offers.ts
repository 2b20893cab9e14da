import type { ClassId, ClassSummary } from '../../shared/domain.ts';
import type { Offer } from '../keys/commands.svelte.ts';

interface Actions {
  /** How many images would be decided; 0 offers no class to give. */
  targets: number;
  give: (classId: ClassId) => void;
  show: (classId: ClassId) => void;
  search: (words: string) => void;
}

/** What the palette offers in review besides the commands, once something is typed. */
export function listReviewOffers(typed: string, classes: readonly ClassSummary[], actions: Actions): Offer[] {
  const words = typed.trim();
  if (words === '') return [];
  const give = ({ id, name }: ClassSummary): Offer => ({
    id: `give-class-${id}`,
    title: `Give class ${name}`,
    group: 'Classes',
    run: () => actions.give(id),
  });
  const show = ({ id, name }: ClassSummary): Offer => ({
    id: `show-class-${id}`,
    title: `Show class ${name}`,
    group: 'Classes',
    run: () => actions.show(id),
  });
  return [
    ...(actions.targets === 0 ? [] : classes.map(give)),
    ...classes.map(show),
    {
      id: 'search-path',
      title: `Find images with “${words}” in the path`,
      group: 'Images',
      run: () => actions.search(words),
    },
  ];
}
