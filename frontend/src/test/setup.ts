import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll } from "vitest";
import { service } from "./service";

// The first page of a run is compiled while the test waits for it.
configure({ asyncUtilTimeout: 10_000 });

// jsdom lays nothing out: the chart, which needs a width, is judged in a real browser (tests/e2e).
class NoResizeObserver implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

globalThis.ResizeObserver ??= NoResizeObserver;
globalThis.matchMedia ??= ((query: string) =>
  Object.assign(new EventTarget(), { matches: false, media: query, onchange: null })) as unknown as typeof globalThis.matchMedia;
Element.prototype.scrollIntoView ??= () => undefined;
HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
  this.open = false;
};
globalThis.scrollTo = () => undefined;

// Numbers and dates follow the browser's locale; the tests say how they read in one.
Object.defineProperty(globalThis.navigator, "language", { value: "en-GB", configurable: true });

beforeAll(() => service.listen({ onUnhandledRequest: "error" }));
afterEach(() => {
  cleanup();
  service.resetHandlers();
  localStorage.clear();
});
afterAll(() => service.close());
