import { fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { extentOf, Scroller } from "./scroller";

const sizes = (over: Partial<Parameters<typeof extentOf>[0]>) => ({ scrollLeft: 0, clientWidth: 300, scrollWidth: 300, clientHeight: 200, scrollHeight: 200, ...over });

test.each([
  ["content that fits", sizes({}), { more: "", isScrollable: false }],
  ["content a fraction wider", sizes({ scrollWidth: 301 }), { more: "", isScrollable: false }],
  ["wider content at its begin", sizes({ scrollWidth: 500 }), { more: "end", isScrollable: true }],
  ["wider content in its middle", sizes({ scrollWidth: 500, scrollLeft: 100 }), { more: "start end", isScrollable: true }],
  ["wider content at its end", sizes({ scrollWidth: 500, scrollLeft: 199.5 }), { more: "start", isScrollable: true }],
  ["higher content", sizes({ scrollHeight: 900 }), { more: "", isScrollable: true }],
])("%s", (_name, box, extent) => {
  expect(extentOf(box)).toEqual(extent);
});

afterEach(() => vi.restoreAllMocks());

function laidOut(content_px: number): void {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(300);
  vi.spyOn(HTMLElement.prototype, "scrollWidth", "get").mockReturnValue(content_px);
}

const table = (
  <Scroller label="Stages">
    <table />
  </Scroller>
);

test("says on which side more lies, while it is scrolled", () => {
  laidOut(500);
  const { container } = render(table);
  const region = screen.getByRole("region", { name: "Stages" });
  expect(container.querySelector("[data-more]")).toHaveAttribute("data-more", "end");
  region.scrollLeft = 200;
  fireEvent.scroll(region);
  expect(container.querySelector("[data-more]")).toHaveAttribute("data-more", "start");
});

test("is a stop of the tab key only where it scrolls", () => {
  laidOut(300);
  const { rerender } = render(table);
  expect(screen.getByRole("region", { name: "Stages" })).not.toHaveAttribute("tabindex");
  vi.restoreAllMocks();
  laidOut(500);
  rerender(
    <Scroller label="Stages">
      <table id="wider" />
    </Scroller>,
  );
  expect(screen.getByRole("region", { name: "Stages" })).toHaveAttribute("tabindex", "0");
});
