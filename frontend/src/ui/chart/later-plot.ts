import { later } from "@/lib/later";

/** With the chart library, which is larger than the rest of a page. */
export const timePlot = later(() => import("./time-plot"));
