import type { Attachment } from 'svelte/attachments';

/** Takes the focus as it appears, where what had it before has gone; for headings, with `tabindex="-1"`. */
export const takeFocus: Attachment<HTMLElement> = (element) => {
  element.focus({ preventScroll: true });
};
