/** Answers that are files: asked for with the session, saved under the name that the service gives. */
import { sessionSend } from "./client";
import { problemFrom } from "./problem";

/** Asks and saves. Rejects with an ApiProblem when the service refuses. */
export async function saveFile(path: string, fallbackName: string, body?: unknown): Promise<void> {
  const init: RequestInit =
    body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await sessionSend(new Request(globalThis.location.origin + path, { credentials: "same-origin", ...init }));
  if (!answer.ok) throw problemFrom(answer.status, await answer.json().catch(() => null));
  saveBlob(await answer.blob(), nameOf(answer.headers.get("Content-Disposition")) ?? fallbackName);
}

/** Hands a blob to the browser's downloads. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The click only begins the download; the address must outlive this turn.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function nameOf(disposition: string | null): string | null {
  return /filename="([^"]+)"/.exec(disposition ?? "")?.[1] ?? null;
}
