import { untrack } from 'svelte';
import type { ApiClient } from '../../shared/api.ts';

/** Where the project of an image folder will be: what is suggested for the folder, until a person says otherwise. */
export class ProjectPath {
  path = $state('');
  /** Whether the suggested project is there already and will be brought up to date. */
  exists = $state(false);

  readonly #client: Pick<ApiClient, 'suggestProjectPath'>;
  #folder = '';

  constructor(client: Pick<ApiClient, 'suggestProjectPath'>) {
    this.#client = client;
  }

  /**
   * Takes what the service suggests for the folder, unless another folder was chosen or a path typed in the meantime.
   * @returns why there is no suggestion; null when there is, or it came too late
   */
  async suggestFor(folder: string): Promise<string | null> {
    this.#folder = folder;
    // Whoever asks must not ask again whenever a person types.
    const before = untrack(() => this.path);
    const suggestion = await this.#client.suggestProjectPath({ folder });
    if (this.#folder !== folder || this.path !== before) return null;
    if (!suggestion.ok) return suggestion.error.message;
    this.path = suggestion.value.path;
    this.exists = suggestion.value.exists;
    return null;
  }
}
