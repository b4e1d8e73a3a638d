import { useSyncExternalStore } from "react";

/** As the style sheets have it: below `sm`. */
const PHONE = "(max-width: 639.98px)";

const follow = (changed: () => void): (() => void) => {
  const media = matchMedia(PHONE);
  media.addEventListener("change", changed);
  return () => media.removeEventListener("change", changed);
};

export const useIsPhone = (): boolean => useSyncExternalStore(follow, () => matchMedia(PHONE).matches);
