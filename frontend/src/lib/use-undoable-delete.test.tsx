import { ToastProvider } from "@/ui/toast";
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UNDO_MS, useUndoableDelete } from "./use-undoable-delete";

const removed: string[] = [];
let answer: () => Promise<void>;

function List() {
  const { hidden, drop } = useUndoableDelete({
    said: "Deleted",
    remove: (id) => {
      removed.push(id);
      return answer();
    },
  });
  return ["a", "b"].filter((id) => !hidden.has(id)).map((id) => (
    <button key={id} onClick={() => drop(id)}>
      {`drop ${id}`}
    </button>
  ));
}

const open = () => render(<List />, { wrapper: ToastProvider });
const press = (name: string) => act(async () => screen.getByRole("button", { name }).click());

beforeEach(() => {
  vi.useFakeTimers();
  removed.length = 0;
  answer = () => Promise.resolve();
});
afterEach(() => vi.useRealTimers());

test("what is deleted vanishes at once and is deleted for good after the time to take it back", async () => {
  open();
  await press("drop a");
  expect(screen.queryByRole("button", { name: "drop a" })).toBeNull();
  expect(removed).toEqual([]);
  await act(() => vi.advanceTimersByTimeAsync(UNDO_MS));
  expect(removed).toEqual(["a"]);
});

test("taken back in time it was never deleted", async () => {
  open();
  await press("drop a");
  await press("Undo");
  await act(() => vi.advanceTimersByTimeAsync(2 * UNDO_MS));
  expect(screen.getByRole("button", { name: "drop a" })).toBeInTheDocument();
  expect(removed).toEqual([]);
});

test("leaving the page deletes for good, each thing once", async () => {
  const page = open();
  await press("drop a");
  await press("drop b");
  page.unmount();
  expect(removed.sort()).toEqual(["a", "b"]);
  await act(() => vi.advanceTimersByTimeAsync(2 * UNDO_MS));
  expect(removed).toHaveLength(2);
});

test("a refused deletion shows the thing again and says why", async () => {
  answer = () => Promise.reject(new TypeError("no network"));
  open();
  await press("drop a");
  await act(() => vi.advanceTimersByTimeAsync(UNDO_MS));
  expect(screen.getByRole("button", { name: "drop a" })).toBeInTheDocument();
  expect(screen.getByText(/cannot be reached/)).toBeInTheDocument();
});
