/** Below this part of the window somebody sees too little of what a click opened; a phone shows little at once. */
const LOW = { wide: 0.6, narrow: 0.25 };
const NARROW_PX = 640;

/** Scrolls to what a click opened when it lies below, or mostly below, the window; after it has been drawn. */
export function bringIntoView(element: HTMLElement | null): void {
  requestAnimationFrame(() => {
    const low = globalThis.innerWidth < NARROW_PX ? LOW.narrow : LOW.wide;
    const top = element?.getBoundingClientRect().top ?? 0;
    if (!element || (top >= 0 && top < low * globalThis.innerHeight)) return;
    const isCalm = globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block: "start", behavior: isCalm ? "auto" : "smooth" });
  });
}
