import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { ServiceMessage } from '../wire.ts';
import { createPortTransport } from './port-transport.ts';

/* All that the window gets of Electron: the transport, and the path of a dropped file. */

const transport = createPortTransport();

ipcRenderer.on('winnow:port', ({ ports: [port] }) => {
  if (port === undefined) return;
  transport.attach({
    post: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.onmessage = ({ data }) => listener(data as ServiceMessage);
    },
  });
});
ipcRenderer.on('winnow:lost', () => transport.detach());
ipcRenderer.send('winnow:connect');

contextBridge.exposeInMainWorld('winnow', {
  invoke: transport.invoke,
  subscribe: transport.subscribe,
  pathForFile: (file: File) => webUtils.getPathForFile(file),
});
