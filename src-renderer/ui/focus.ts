import type { Attachment } from 'svelte/attachments';

/** Takes the focus as it appears, where what had it before has gone; for headings, with `tabindex="-1"`. */
export const takeFocus: Attachment<HTMLElement> = (element) => {
  element.focus({ preventScroll: true });
};

/**
 * Holds the focus in the window: where what has it goes away or is switched off, it would fall on the page as a whole, and the Tab key
 * would begin anew at the top. It goes to the nearest place of work instead, or to the main part of a screen that has none; while a
 * dialog asks for something, to the dialog.
 */
export const holdFocus: Attachment<HTMLElement> = (main) => {
  const onfocusout = ({ target }: FocusEvent): void => {
    // After what comes in its place has had the time to take the focus itself.
    setTimeout(() => {
      if (document.activeElement !== document.body || !(target instanceof HTMLElement)) return;
      // A click on nothing is a wish to leave.
      if (target.isConnected && !target.matches(':disabled') && target.checkVisibility()) return;
      const dialog = document.querySelector<HTMLElement>('[aria-modal="true"]');
      (dialog ?? nearestWorkspace(target) ?? main).focus({ preventScroll: true });
    });
  };
  document.addEventListener('focusout', onfocusout);
  return () => document.removeEventListener('focusout', onfocusout);

  function nearestWorkspace(target: HTMLElement): HTMLElement | null {
    for (let around = target.parentElement; around !== null; around = around.parentElement) {
      const workspace = around.isConnected ? around.querySelector<HTMLElement>('[data-workspace]') : null;
      if (workspace !== null) return workspace;
    }
    return main.querySelector('[data-workspace]');
  }
};
