import { expect, test } from "vitest";
import { placeKey } from "./place-key";

const at = (key: string, pathname: string, search = "") => placeKey({ key, pathname, search });

test("pages opened by their address keep their own scrolling; those of the history keep theirs", () => {
  expect(at("default", "/p/p1/trends")).not.toBe(at("default", "/p/p1/paths"));
  expect(at("default", "/p/p1/trends")).toBe(at("default", "/p/p1/trends"));
  expect(at("k1", "/p/p1/trends")).not.toBe(at("k2", "/p/p1/trends"));
});
