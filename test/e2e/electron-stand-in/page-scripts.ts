/* JavaScript that runs inside the page: one script in the page's own world, one in the preload's isolated world. The two share only the
   document's events, whose details are JSON text, so nothing but plain data, functions and promises gets across. */

export const isolatedWorld = 'winnow-preload';
/** Function of the isolated world through which the preload reaches the main process. */
export const bindingName = 'standInToMain';
/** Function of the isolated world through which the main process reaches the preload. */
export const receiverName = 'standInFromMain';

/** Keeps typed arrays what they are on their way through JSON, as structured cloning does. */
export function packArrays(_key: string, item: unknown): unknown {
  return ArrayBuffer.isView(item) ? { $array: [item.constructor.name, [...(item as Uint8Array)]] } : item;
}

/** The other direction, in the page. */
const unpackArrays = `(_key, item) =>
  item !== null && typeof item === 'object' && '$array' in item ? new globalThis[item.$array[0]](item.$array[1]) : item`;

/** Encodes values for the other world: functions become numbers that the other side can call. */
const bridge = `
  const unpackArrays = ${unpackArrays};
  const functions = new Map();
  const settlers = new Map();
  let nextNumber = 1;
  const keep = (value) => { const number = nextNumber++; functions.set(number, value); return number; };
  const encode = (value) => JSON.stringify(value === undefined ? { missing: true } : { value }, (_key, item) => {
    if (typeof item === 'function') return { $function: keep(item) };
    if (item instanceof Promise) {
      const number = nextNumber++;
      item.then(
        (answer) => emit('settle', encode({ number, answer })),
        (error) => emit('settle', encode({ number, error: String(error) })),
      );
      return { $promise: number };
    }
    return ArrayBuffer.isView(item) ? { $array: [item.constructor.name, [...item]] } : item;
  });
  const decode = (text) => JSON.parse(text, (_key, item) => {
    if (item !== null && typeof item === 'object') {
      if ('$function' in item) return (...args) => call(item.$function, args);
      if ('$promise' in item) return new Promise((resolve, reject) => settlers.set(item.$promise, { resolve, reject }));
    }
    return unpackArrays(_key, item);
  }).value;
  let returned;
  const emit = (kind, text) => window.dispatchEvent(new CustomEvent(other + kind, { detail: text }));
  // Dispatching an event is synchronous, so the answer is there when it returns.
  const call = (number, args) => {
    returned = undefined;
    emit('call', encode({ number, args }));
    const { threw, result } = decode(returned);
    if (threw !== undefined) throw new Error(threw);
    return result;
  };
  window.addEventListener(own + 'call', ({ detail }) => {
    const { number, args } = decode(detail);
    let answer;
    try { answer = { result: functions.get(number)(...args) }; } catch (error) { answer = { threw: String(error) }; }
    emit('return', encode(answer));
  });
  window.addEventListener(own + 'return', ({ detail }) => { returned = detail; });
  window.addEventListener(own + 'settle', ({ detail }) => {
    const { number, answer, error } = decode(detail);
    const settler = settlers.get(number);
    settlers.delete(number);
    if (error === undefined) settler.resolve(answer); else settler.reject(new Error(error));
  });
`;

/** Defines what the preload exposes, as frozen properties of the page's window. */
export const mainWorldScript = `(() => {
  if (window !== window.top) return;
  const own = 'stand-in-page-', other = 'stand-in-preload-';
  ${bridge}
  window.addEventListener(own + 'expose', ({ detail }) => {
    const { name, api } = decode(detail);
    Object.defineProperty(window, name, { value: Object.freeze(api), enumerable: true });
  });
})();`;

/** Runs the built preload with the three modules that it may ask Electron for. */
export function isolatedWorldScript(preload: string): string {
  return `(() => {
  if (window !== window.top) return;
  const own = 'stand-in-preload-', other = 'stand-in-page-';
  ${bridge}
  const listeners = new Map();
  const ports = new Map();
  const toMain = (message) => ${bindingName}(JSON.stringify(message));
  globalThis.${receiverName} = (text) => {
    const message = JSON.parse(text, unpackArrays);
    if (message.kind === 'port') { ports.get(message.port)?.onmessage?.({ data: message.data }); return; }
    const received = message.ports.map((id) => {
      const port = { onmessage: null, postMessage: (data) => toMain({ kind: 'port', port: id, data }), start() {}, close() {} };
      ports.set(id, port);
      return port;
    });
    for (const listener of listeners.get(message.channel) ?? []) listener({ ports: received }, ...message.args);
  };
  const electron = {
    contextBridge: { exposeInMainWorld: (name, api) => emit('expose', encode({ name, api })) },
    ipcRenderer: {
      on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
      send: (channel, ...args) => toMain({ kind: 'send', channel, args }),
    },
    // Chromium alone does not tell paths; Electron answers '' too for a file that is not on disk.
    webUtils: { getPathForFile: () => '' },
  };
  const module = { exports: {} };
  ((require, module, exports) => {
${preload}
  })((name) => { if (name === 'electron') return electron; throw new Error('A sandboxed preload cannot load ' + name); }, module, module.exports);
})();`;
}
