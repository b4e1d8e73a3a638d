/** The live view in a browser: a ticket by the session, a WebSocket, the browser's clock. */
import { api, dataOf } from "./client";
import type { LiveWorld, SocketLike } from "./live";

export function browserWorld(projectId: string): LiveWorld {
  return {
    ticket: async () => {
      const { path } = await dataOf(api.POST("/api/v1/projects/{project_id}/live/ticket", { params: { path: { project_id: projectId } } }));
      const address = new URL(path, globalThis.location.origin);
      address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
      return address.toString();
    },
    socket: openSocket,
    now: () => Date.now(),
    random: () => Math.random(),
    after: (delay_ms, run) => {
      const timer = setTimeout(run, delay_ms);
      return () => clearTimeout(timer);
    },
  };
}

function openSocket(address: string): SocketLike {
  const socket = new WebSocket(address);
  const like: SocketLike = {
    onmessage: null,
    onclose: null,
    // One that is not open yet says what it wants when it is.
    send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text),
    close: () => socket.close(),
  };
  socket.onmessage = (event) => like.onmessage?.(event);
  socket.onclose = (event) => like.onclose?.(event);
  return like;
}
