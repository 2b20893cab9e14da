import type { Component } from 'svelte';
import type { Screen } from './app-state.svelte.ts';

export type LoadScreen = () => Promise<{ default: Component }>;

/** Home and review are there from the start; the others come a little later, or when they are needed. */
export const laterScreens = {
  import: () => import('./import/ImportSetup.svelte'),
  images: () => import('./import/Images.svelte'),
  training: () => import('./training/Training.svelte'),
  overview: () => import('./overview/Overview.svelte'),
  classes: () => import('./classes/Classes.svelte'),
  triage: () => import('./triage/Triage.svelte'),
  export: () => import('./export/Export.svelte'),
} satisfies Partial<Record<Screen, LoadScreen>>;
