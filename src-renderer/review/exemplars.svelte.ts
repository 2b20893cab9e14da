import { SvelteMap } from 'svelte/reactivity';
import type { ApiClient } from '../../shared/api.ts';
import type { ClassId, SampleCard, SampleId } from '../../shared/domain.ts';

/** Asked for per class: more than fit on a line, since the image that they stand beside is left out. */
const wanted = 12;

/** Samples that show best what each class looks like, read once per class. */
export class Exemplars {
  readonly #byClass = new SvelteMap<ClassId, readonly SampleCard[]>();
  readonly #asked = new Set<ClassId>();
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** Undefined until they are there. */
  of(classId: ClassId): readonly SampleCard[] | undefined {
    return this.#byClass.get(classId);
  }

  load(classId: ClassId): void {
    if (this.#asked.has(classId)) return;
    this.#asked.add(classId);
    void this.#client.listExemplars({ classId, limit: wanted }).then((result) => {
      if (!this.#asked.has(classId)) return;
      if (result.ok) this.#byClass.set(classId, result.value);
      // Nothing depends on them, so a failure is not worth a notice; the next look asks again.
      else this.#asked.delete(classId);
    });
  }

  /** A sample that got another label is no example of its old one any more. */
  update(id: SampleId, currentClassId: ClassId | null): void {
    for (const [classId, cards] of this.#byClass) {
      if (classId === currentClassId || !cards.some((card) => card.id === id)) continue;
      this.#byClass.set(
        classId,
        cards.filter((card) => card.id !== id),
      );
    }
  }

  clear(): void {
    this.#byClass.clear();
    this.#asked.clear();
  }
}
