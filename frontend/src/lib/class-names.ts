import { extendTailwindMerge } from "tailwind-merge";

/** Joins class lists; of two utilities that set the same thing the later one wins. */
export const cn = extendTailwindMerge({
  extend: { classGroups: { shadow: [{ shadow: ["pop", "card"] }] } },
});
