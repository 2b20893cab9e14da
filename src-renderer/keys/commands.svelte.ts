import { createContext } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { subscribeTo } from '../../shared/transport.ts';
import type { AppState } from '../app-state.svelte.ts';
import { chordOf } from './chord.ts';
import { commands, type CommandId } from './commands.ts';
import { createKeymap } from './keymap.ts';

export const [getCommands, setCommands] = createContext<Commands>();

export interface Press {
  /** The key is held down. */
  held: boolean;
  /** What had the focus; null when the command came from elsewhere than a key. */
  target: Element | null;
}

/** True when it took the key. */
export type ChordHandler = (chord: string, press: Press) => boolean;

export type CommandHandlers = Partial<Record<CommandId, (press: Press) => void>>;

/**
 * What the window can do at this moment, and the keys for it. A screen, and a mode within it, each registers a layer of
 * handlers while it is shown; of two layers the one registered last comes first.
 */
export class Commands {
  #overrides = $state.raw<Readonly<Record<string, readonly string[]>>>({});
  readonly keymap = $derived(createKeymap(this.#overrides));
  readonly #layers = new SvelteSet<CommandHandlers>();
  #chords: ChordHandler | null = null;
  readonly #app: AppState;

  constructor(app: AppState) {
    this.#app = app;
  }

  /** Reads the keys that were set, and follows changes, until the returned function is called. */
  listen(): () => void {
    void this.load();
    return subscribeTo(this.#app.transport, 'settingsChanged', (settings) => {
      this.#overrides = settings.keys;
    });
  }

  async load(): Promise<void> {
    const settings = await this.#app.client.getSettings({});
    if (settings.ok) this.#overrides = settings.value.keys;
  }

  /** Sets the keys of a command for good; null gives it its usual ones back. */
  async setKeys(changes: Partial<Record<CommandId, readonly string[] | null>>): Promise<void> {
    const keys: Record<string, string[]> = {};
    for (const [id, own] of Object.entries({ ...this.#overrides, ...changes })) if (own !== null) keys[id] = [...own];
    const settings = this.#app.valueOrNotice(await this.#app.client.saveSettings({ keys }));
    if (settings !== null) this.#overrides = settings.keys;
  }

  isChanged(id: CommandId): boolean {
    return this.#overrides[id] !== undefined;
  }

  /** Adds a layer of handlers until the returned function is called. */
  register(handlers: CommandHandlers): () => void {
    this.#layers.add(handlers);
    return () => this.#layers.delete(handlers);
  }

  /** Keys that are no commands, such as those of classes, until the returned function is called; they come before all others. */
  registerChords(handler: ChordHandler): () => void {
    this.#chords = handler;
    return () => {
      if (this.#chords === handler) this.#chords = null;
    };
  }

  /** Everything that would do something now, in the order of `commands`. */
  get available(): CommandId[] {
    const layers = [...this.#layers];
    return commands.map(({ id }) => id).filter((id) => layers.some((layer) => layer[id] !== undefined));
  }

  /** False when nothing answers to the command now. */
  run(id: CommandId, press: Press = { held: false, target: null }): boolean {
    const handler = [...this.#layers].findLast((layer) => layer[id] !== undefined)?.[id];
    handler?.(press);
    return handler !== undefined;
  }

  /** Runs what a key means, unless the control that has the focus needs the key for itself. */
  dispatch(event: KeyboardEvent): void {
    if (event.defaultPrevented) return;
    const chord = chordOf(event);
    if (chord === null || belongsToControl(event)) return;
    const press: Press = { held: event.repeat, target: event.target instanceof Element ? event.target : null };
    if (this.#chords?.(chord, press) === true) {
      event.preventDefault();
      return;
    }
    const meant = this.keymap.commandsOf(chord);
    for (const layer of [...this.#layers].reverse()) {
      const id = meant.find((candidate) => layer[candidate] !== undefined);
      if (id === undefined) continue;
      event.preventDefault();
      layer[id]?.(press);
      return;
    }
  }
}

/** Keys that the focused control needs for itself. */
function belongsToControl(event: KeyboardEvent): boolean {
  const { target, key } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog, [role="dialog"], [role="menu"]') !== null) return true;
  const isPressKey = key === ' ' || key === 'Enter';
  const isMoveKey = key.startsWith('Arrow') || key === 'Home' || key === 'End';
  if (target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLInputElement) {
    if (key === 'Escape') return false;
    const takesText = !['checkbox', 'radio', 'range'].includes(target.type);
    if (takesText) return !((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'k');
    return isPressKey || isMoveKey;
  }
  const control = target.closest('button, a, [role="slider"], [role="radio"], [role="tab"], [role="combobox"]');
  if (control === null) return false;
  return isPressKey || (isMoveKey && !control.matches('button:not([role]), a'));
}
