/** The wire format of `POST /e/{key}`: events as JSON text made once, and bodies put together from them. */

/** One event under its wire names; an absent member is unknown. */
export interface WireEvent extends WirePage {
  /** event id */ i: string;
  /** event name */ n: string;
  /** time of the event, ms since 1970 */ t: number;
  /** session id */ s: string;
  /** user id */ u: string | undefined;
  /** properties or traits */ p: object | undefined;
  /** id of the page view it belongs to */ v: string | undefined;
}

/** The part of an event that describes the page and the browser. */
export interface WirePage {
  /** URL */ l: string;
  /** referrer */ r: string | undefined;
  /** title */ c: string | undefined;
  /** screen, "1280x720" */ w: string;
  /** language */ g: string;
  /** IANA time zone */ z: string;
}

/** An event ready to leave: its text is fixed, so nothing that happens later can change who did what, and when. */
export interface EncodedEvent {
  anonymousId: string;
  json: string;
  bytes: number;
}

// `"a":"<32 hex digits>",` for an event of another person than the body's, and the comma between events.
const enum Around {
  Bytes = 40,
}

/** Length in UTF-8, which is what browsers and the server count. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Throws what `JSON.stringify` throws: circular properties, BigInt, a getter of the page that throws. */
export function encodeEvent(anonymousId: string, event: WireEvent): EncodedEvent {
  const json = JSON.stringify(event);
  return { anonymousId, json, bytes: byteLength(json) + Around.Bytes };
}

/** The body of one request; `events` holds at least one, `dropped` is left out when nothing was lost. */
export function encodeBody(events: readonly EncodedEvent[], dropped: number, sentMs: number): string {
  let first: string | undefined;
  const list = events.map(({ anonymousId, json }) =>
    anonymousId === (first ||= anonymousId) ? json : `{"a":"${anonymousId}",${json.slice(1)}`,
  );
  const head = JSON.stringify({ t: sentMs, a: first, d: dropped || undefined });
  return `${head.slice(0, -1)},"e":[${list.join()}]}`;
}
