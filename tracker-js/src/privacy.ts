/** Whether this visitor is counted at all. Asked before an id is made, before an event is queued, before one is sent. */
import type { Options } from './options';
import { Key, type Store } from './store';

const LOCAL_HOST = /^((.+\.)?localhost|127(\.\d+){3}|\[::1\]|)$/;

declare global {
  interface Navigator {
    readonly globalPrivacyControl?: boolean;
  }
}

export function isSilent(options: Options, store: Store): boolean {
  return Boolean(
    store.read(Key.OptOut) ||
      (options.dnt !== 'off' && (navigator.globalPrivacyControl || navigator.doNotTrack === '1')) ||
      (options.local === 'off' && LOCAL_HOST.test(location.hostname)),
  );
}
