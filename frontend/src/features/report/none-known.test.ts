import { expect, test } from "vitest";
import { noneKnown } from "./none-known";

const none = { group: "none" };
const value = { group: "value" };

test.each([
  ["country", [none], "IAFA_GEOIP_DATABASE"],
  ["city", [none], "IAFA_GEOIP_DATABASE"],
  ["utm_campaign", [none], "utm_campaign="],
  ["country", [value, none], null],
  ["utm_campaign", [], null],
  ["channel", [none], null],
  ["browser", [none], null],
] as const)("%s of %j", (list, groups, said) => {
  const told = noneKnown(list, groups);
  if (said === null) expect(told).toBeNull();
  else expect(told).toContain(said);
});
