const ID = /^[0-9a-f]{32}$/;

/** 128 random bits as 32 hex digits. Not `crypto.randomUUID`: pages served over plain http lack it. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join('');
}

/** The value if `randomId` could have made it, else a new id: what stands in storage may have been altered by anyone. */
export function idOrNew(value = ''): string {
  return ID.test(value) ? value : randomId();
}
