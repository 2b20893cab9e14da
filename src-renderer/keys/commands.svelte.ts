import { createContext } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { subscribeTo } from '../../shared/transport.ts';
import type { AppState } from '../app-state.svelte.ts';
import { chordOf, chordText, isMac } from './chord.ts';
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

/** Something for the palette that is no command, such as giving one of the classes. */
export interface Offer {
  /** Tells it from all others, also the next time. */
  id: string;
  title: string;
  group: string;
  run: () => void;
}

/** What there is for what was typed; it is asked again at every key. */
export type OfferSource = (typed: string) => Offer[];

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
  #offers: OfferSource | null = null;
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

  /** Gives every command its usual keys back. */
  resetKeys(): Promise<void> {
    return this.setKeys(Object.fromEntries(Object.keys(this.#overrides).map((id) => [id, null])));
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

  /** More for the palette, until the returned function is called. */
  registerOffers(source: OfferSource): () => void {
    this.#offers = source;
    return () => {
      if (this.#offers === source) this.#offers = null;
    };
  }

  offersFor(typed: string): Offer[] {
    return this.#offers?.(typed) ?? [];
  }

  /** The first key of a command as text, for tooltips and hints; empty when it has none. */
  capsOf(id: CommandId): string {
    const [chord] = this.keymap.keysOf(id);
    return chord === undefined ? '' : chordText(chord, isMac);
  }

  /** The first key that would run the command now, and not another one before it; null when none would. */
  keyThatRuns(id: CommandId): string | null {
    return this.keymap.keysOf(id).find((chord) => this.#find(chord)?.id === id) ?? null;
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
    const found = this.#find(chord);
    if (found === null) return;
    event.preventDefault();
    found.handler(press);
  }

  /** What a chord means now: in the layer that was registered last and knows one of its commands. */
  #find(chord: string): { id: CommandId; handler: (press: Press) => void } | null {
    const meant = this.keymap.commandsOf(chord);
    for (const layer of [...this.#layers].reverse()) {
      const id = meant.find((candidate) => layer[candidate] !== undefined);
      const handler = id === undefined ? undefined : layer[id];
      if (id !== undefined && handler !== undefined) return { id, handler };
    }
    return null;
  }
}

/** Keys that the focused control needs for itself. */
function belongsToControl(event: KeyboardEvent): boolean {
  const { target, key } = event;
  // While a dialog asks for something, nothing behind it is done, wherever the focus may be.
  if (document.querySelector('[aria-modal="true"]') !== null) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('[role="dialog"], [role="menu"], [role="listbox"][data-state="open"]') !== null) return true;
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
