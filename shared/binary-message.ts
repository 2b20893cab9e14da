/*
 * Messages for a WebSocket: JSON, or, where typed arrays are among the fields, a binary frame that holds JSON and after it the arrays
 * as they lie in memory. A map of a million samples would take seconds as JSON. Electron's port needs none of this.
 *
 * Frame: length of the JSON in bytes (uint32, little-endian), the JSON (UTF-8), then each array from the next multiple of 8 on.
 */

/** What stands in the JSON for a typed array: its kind, first byte after the JSON's end, and number of elements. */
interface Reference {
  $array: [kind: string, offset: number, length: number];
}

type TypedArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

const kinds = { Uint8Array, Uint16Array, Uint32Array, Int32Array, Float32Array, Float64Array };

/** Typed arrays are found in fields of objects, however deep, but not inside of plain arrays. */
export function encodeMessage(message: unknown): string | Uint8Array {
  const arrays: TypedArray[] = [];
  let bytes = 0;
  const json = JSON.stringify(
    replaceFields(message, (value) => {
      if (!isTypedArray(value)) return undefined;
      const reference: Reference = { $array: [value.constructor.name, bytes, value.length] };
      arrays.push(value);
      bytes += aligned(value.byteLength);
      return reference;
    }),
  );
  if (arrays.length === 0) return json;
  const head = new TextEncoder().encode(json);
  const start = aligned(lengthBytes + head.length);
  const frame = new Uint8Array(start + bytes);
  new DataView(frame.buffer).setUint32(0, head.length, true);
  frame.set(head, lengthBytes);
  let offset = start;
  for (const array of arrays) {
    frame.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), offset);
    offset += aligned(array.byteLength);
  }
  return frame;
}

/** The arrays of the message are views into `frame`. Throws `SyntaxError` for what `encodeMessage` did not make. */
export function decodeMessage(frame: string | ArrayBuffer): unknown {
  if (typeof frame === 'string') return JSON.parse(frame);
  const length = new DataView(frame).getUint32(0, true);
  const start = aligned(lengthBytes + length);
  const message: unknown = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, lengthBytes, length)));
  return replaceFields(message, (value) => {
    if (!isReference(value)) return undefined;
    const [kind, offset, elements] = value.$array;
    const Kind = kinds[kind as keyof typeof kinds];
    if (!Object.hasOwn(kinds, kind)) throw new SyntaxError(`A message names an array of the unknown kind "${kind}".`);
    return new Kind(frame, start + offset, elements);
  });
}

const lengthBytes = 4;

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && value.constructor.name in kinds;
}

function isReference(value: unknown): value is Reference {
  return typeof value === 'object' && value !== null && Array.isArray((value as Partial<Reference>).$array);
}

/** The value with fields replaced wherever `replacement` gives something; objects without such a field stay the same. */
function replaceFields(value: unknown, replacement: (value: unknown) => unknown): unknown {
  const replaced = replacement(value);
  if (replaced !== undefined) return replaced;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  let copy: Record<string, unknown> | null = null;
  for (const [name, field] of Object.entries(value)) {
    const next = replaceFields(field, replacement);
    if (next !== field) copy = { ...(copy ?? (value as Record<string, unknown>)), [name]: next };
  }
  return copy ?? value;
}
