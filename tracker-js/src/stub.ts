/** The inline stub: keeps calls until the tracker is there, and loads it without making the page wait. */
interface Stub {
  q?: unknown[];
  [method: string]: unknown;
}
const page = window as { iafa?: Stub | undefined };
const iafa: Stub = (page.iafa ||= {});
const held = (iafa.q ??= []);
for (const name of 'track page set before flush optOut optIn ready identify group alias reset consent'.split(' '))
  iafa[name] = (...args: unknown[]) => held.push([name, ...args]);
const script = document.createElement('script');
script.src = 'SCRIPT_URL';
script.dataset.key = 'WRITE_KEY';
document.head.append(script);

export {};
