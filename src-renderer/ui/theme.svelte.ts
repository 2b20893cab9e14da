export const themes = ['system', 'light', 'dark'] as const;
export type ThemeName = (typeof themes)[number];

/** Light, dark, or as the system says; remembered on this machine. */
export class Theme {
  name = $state<ThemeName>('system');

  constructor() {
    this.name = themes.find((theme) => theme === readStored()) ?? 'system';
    this.#apply();
  }

  /** System, then light, then dark. */
  next(): void {
    this.name = themes[(themes.indexOf(this.name) + 1) % themes.length] ?? 'system';
    try {
      localStorage.setItem(key, this.name);
    } catch {
      // Without storage the choice lasts as long as the window.
    }
    this.#apply();
  }

  #apply(): void {
    if (this.name === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.name;
  }
}

const key = 'winnow.theme';

function readStored(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
