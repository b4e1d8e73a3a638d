import { later } from "@/lib/later";

export const boardGrid = later(() => import("./board-grid"));
