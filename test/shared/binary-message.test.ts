import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../../shared/binary-message.ts';

describe('messages of a WebSocket', () => {
  test('without typed arrays they are JSON', () => {
    expect(encodeMessage({ id: 1, result: { ok: true, value: [1, 2] } })).toBe(
      '{"id":1,"result":{"ok":true,"value":[1,2]}}',
    );
  });

  test('typed arrays of every kind come back as they were, at any depth and of any length', () => {
    const message = {
      id: 7,
      result: {
        ok: true,
        value: {
          status: 'ready',
          value: {
            ids: Uint32Array.of(1, 2, 4_000_000_000),
            positions: Float32Array.of(-1, 0.25),
            state: Uint8Array.of(3),
            empty: new Float64Array(0),
            given: Uint16Array.of(65_535, 0, 1),
            classIds: [3, 1],
            name: 'Ä “ö”',
          },
        },
      },
    };
    const frame = encodeMessage(message) as Uint8Array<ArrayBuffer>;
    expect(decodeMessage(frame.buffer)).toEqual(message);
  });

  test('a view into a larger buffer sends its own part alone', () => {
    const large = Float32Array.from({ length: 1000 }, (_, index) => index);
    const frame = encodeMessage({ part: large.subarray(10, 13) }) as Uint8Array<ArrayBuffer>;
    expect(frame.length).toBeLessThan(100);
    expect(decodeMessage(frame.buffer)).toEqual({ part: Float32Array.of(10, 11, 12) });
  });

  test('an unknown kind of array is refused', () => {
    const frame = encodeMessage({ a: Uint8Array.of(1) }) as Uint8Array<ArrayBuffer>;
    const text = new TextDecoder('latin1').decode(frame).replace('Uint8Array', 'Flat8Array');
    expect(() => decodeMessage(Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer)).toThrow(SyntaxError);
  });
});
