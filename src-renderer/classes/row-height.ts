/** Of a class in the list, in pixels: a picture and the space around it. */
export const rowHeight = 56;
