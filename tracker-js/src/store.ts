/** Text under a key: `localStorage`, or memory of this page for what `localStorage` refuses. */
export interface Store {
  /** The value; empty if there is none. */
  read(key: Key): string;
  /** Replaces the value; an empty one removes the key. */
  write(key: Key, value: string): void;
}

export const enum Key {
  Anonymous = 'iafa_a',
  User = 'iafa_u',
  Session = 'iafa_s',
  OptOut = 'iafa_off',
}

/** Never throws: storage may be blocked, full, or missing altogether. */
export function createStore(): Store {
  // Holds what was refused. It is asked first: a stale value may still stand in a storage that is full.
  const memory: Record<string, string> = {};
  return {
    read(key) {
      try {
        return memory[key] ?? (localStorage.getItem(key) || '');
      } catch {
        return '';
      }
    },
    write(key, value) {
      memory[key] = value;
      try {
        if (value) localStorage.setItem(key, value);
        else localStorage.removeItem(key);
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a Map costs bytes and holds no more
        delete memory[key];
      } catch {
        // The value stays in memory, until the page goes.
      }
    },
  };
}
