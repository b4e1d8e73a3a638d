/** Names for the shapes of the contract that pages use; the shapes themselves are generated. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Schemas["Me"];
export type Project = Schemas["ProjectAnswer"];
export type ProjectKey = Schemas["KeyAnswer"];
export type TrackingCode = Schemas["TrackingCode"];
export type ProjectStatus = Schemas["ProjectStatus"];
export type Funnel = Schemas["Funnel"];
export type FunnelTemplate = Schemas["FunnelTemplate"];
export type FunnelAnswer = Schemas["FunnelAnswer"];
export type FunnelDefinition = Schemas["FunnelDefinition"];
export type FunnelStage = Schemas["Stage"];
export type EventName = Schemas["EventName"];
