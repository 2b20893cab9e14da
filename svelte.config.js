/** Svelte 5 reads TypeScript by itself; all components are written with runes, which each file makes known by using them. */
export default {};
