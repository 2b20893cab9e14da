/*
 * Numbers as float16 blobs, little-endian: half the room, and finer than training can tell apart. Every
 * platform that the app runs on is little-endian, so the array's own bytes are the stored ones.
 */

export function toHalf(values: Float32Array): Buffer {
  return Buffer.from(new Float16Array(values).buffer);
}

export function fromHalf(bytes: Uint8Array): Float32Array {
  // A copy, because a Buffer may start at an odd offset.
  return new Float32Array(new Float16Array(new Uint8Array(bytes).buffer));
}
