import { expect, test } from "vitest";
import { inTurn } from "./in-turn";

function pieces(names: readonly string[]) {
  const started: string[] = [];
  const finish = new Map<string, () => void>();
  const work = (name: string) => () => {
    started.push(name);
    return new Promise<string>((resolve) => finish.set(name, () => resolve(name)));
  };
  return { started, finish, work, names };
}

test("no more than two run at once; the newest waiting one is next", async () => {
  const { started, finish, work } = pieces([]);
  const take = inTurn(2);
  const { signal } = new AbortController();
  const done = ["a", "b", "c", "d"].map((name) => take(work(name), signal));
  expect(started).toEqual(["a", "b"]);
  finish.get("a")?.();
  expect(await done[0]).toBe("a");
  await Promise.resolve();
  expect(started).toEqual(["a", "b", "d"]);
  for (const name of ["b", "d"]) finish.get(name)?.();
  await Promise.all([done[1], done[3]]);
  await Promise.resolve();
  finish.get("c")?.();
  expect(await done[2]).toBe("c");
});

test("what is given up while it waits never starts; a failure lets the next one go", async () => {
  const { started, finish, work } = pieces([]);
  const take = inTurn(1);
  const gone = new AbortController();
  const stay = new AbortController();
  const failing = take(() => Promise.reject(new Error("no")), stay.signal);
  const given = take(work("given up"), gone.signal);
  gone.abort();
  await expect(given).rejects.toBeDefined();
  await expect(failing).rejects.toThrow("no");
  const last = take(work("last"), stay.signal);
  finish.get("last")?.();
  expect(await last).toBe("last");
  expect(started).toEqual(["last"]);
});
