/** What can be done at once about a finding of the diagnosis. */
import type { components } from "@/api/schema";
import { paths } from "@/app/paths";
import { words } from "./words";

export type Finding = components["schemas"]["FindingAnswer"];

export type Remedy = { kind: "allow"; origin: string; label: string } | { kind: "link"; to: string; label: string };

const REMEDIES_MAX = 3;
const said = words.why.remedies;

export function remediesOf(projectId: string, finding: Finding): Remedy[] {
  const link = (to: string, label: string): Remedy[] => [{ kind: "link", to, label }];
  const settings = (section: string, label: string): Remedy[] => link(`${paths.settings(projectId)}?section=${section}`, label);
  switch (finding.code) {
    case "blocked_origin": {
      // A page without an origin ("null": a file, a sandbox) cannot be listed.
      const origins = [...new Set(finding.samples.flatMap((one) => (one.origin && one.origin !== "null" ? [one.origin] : [])))];
      const allow = origins.slice(0, REMEDIES_MAX).map((origin): Remedy => ({ kind: "allow", origin, label: said.allow(origin) }));
      return [...allow, ...settings("origins", said.origins)];
    }
    case "revoked_key":
    case "expired_key":
    case "unknown_key":
    case "missing_key":
    case "secret_key_in_page":
      return settings("keys", said.keys);
    case "quota_exceeded":
      return settings("limits", said.quota);
    case "rate_limited":
      return settings("limits", said.limits);
    case "sampled_out":
      return settings("sampling", said.sampling);
    case "properties_removed":
      return settings("privacy", said.privacy);
    case "invalid_events":
      return link(`${paths.quality(projectId)}?tab=refused`, said.quarantine);
    case "storage_unavailable":
      return link(paths.system, said.system);
    case "tracker_silent":
      return link(`${paths.setup(projectId)}?options=open`, said.options);
    default:
      return [];
  }
}

/** It was refused earlier and is not now: mended, or nobody tried again. */
export const isSettled = (finding: Finding): boolean => (finding.severity === "error" || finding.severity === "warning") && finding.count > 0 && finding.lately === 0;

/** A project that is younger than this has its snippet not in place yet: silence is no fault. */
const YOUNG_MS = 15 * 60_000;

export interface Waited {
  isWaiting: boolean;
  /** Both by the clock of the server. */
  createdAt: string;
  checkedAt: string;
}

/** While nothing arrives everything is told; later what is wrong, and that events came without any request. */
export function shownFindings(findings: readonly Finding[], { isWaiting, createdAt, checkedAt }: Waited): Finding[] {
  const isYoung = isWaiting && Date.parse(checkedAt) - Date.parse(createdAt) < YOUNG_MS;
  return findings
    .filter((one) => one.code !== "receiving" && (isWaiting || one.severity === "error" || one.severity === "warning" || one.code === "nothing_seen"))
    .map((one) => (one.code === "nothing_seen" && isYoung ? { ...one, severity: "info" } : one));
}
