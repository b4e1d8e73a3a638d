/** Where an event happens: the page and the browser, as the wire format names them. */
import type { WirePage } from './payload';

export function pageContext(referrer: string): WirePage {
  return {
    l: location.href,
    r: referrer || undefined,
    c: document.title || undefined,
    // The screen, not the window: reading the window's size makes the browser compute the layout.
    w: `${screen.width}x${screen.height}`,
    g: navigator.language,
    z: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}
