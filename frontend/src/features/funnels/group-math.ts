/** Colours of the groups of a breakdown. */
import type { FunnelGroup } from "@/api/types";
import { seriesColor } from "@/ui/chart/series";

/** The last colour of the scale is the grey one, for what is no value. */
const PLAIN = 7;

export const groupColor = (group: Pick<FunnelGroup, "group">, index: number): string => seriesColor(group.group === "value" ? index % PLAIN : PLAIN);
