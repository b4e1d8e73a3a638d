import { later } from "@/lib/later";

export const funnelChart = later(() => import("./funnel-chart"));
