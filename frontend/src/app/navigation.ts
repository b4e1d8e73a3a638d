/** The places of a project, in the order in which they stand in the frame, the palette and the list of keys. */
import { t } from "@/lib/strings";
import {
  Bell,
  ChartLine,
  ChartNoAxesColumnDecreasing,
  CodeXml,
  Gauge,
  Grid2x2Check,
  LayoutDashboard,
  List,
  Radio,
  Route,
  ScrollText,
  Server,
  Settings2,
  ShieldCheck,
  Sparkles,
  Timer,
  UserRound,
  Users,
  type LucideIcon,
} from "lucide-react";
import { withCarried, type CarriedDays, type Carries } from "./carried-days";
import { paths } from "./paths";

export interface Place {
  to: string;
  label: string;
  icon: LucideIcon;
  /** The second key after `g`. */
  key?: string;
  /** The project whose people of the last minutes are counted beside it. */
  counted?: string;
  /** What of the days chosen elsewhere the page takes over. */
  carries?: Carries;
}

export interface PlaceGroup {
  label: string | null;
  places: Place[];
}

const allPlaces = (projectId: string): PlaceGroup[] => [
  {
    label: null,
    places: [
      { to: paths.overview(projectId), label: t.nav.overview, icon: Gauge, key: "o", carries: "comparison" },
      { to: paths.funnels(projectId), label: t.nav.funnels, icon: ChartNoAxesColumnDecreasing, key: "f" },
      { to: paths.boards(projectId), label: t.nav.boards, icon: LayoutDashboard, key: "b" },
    ],
  },
  {
    label: t.nav.explore,
    places: [
      { to: paths.trends(projectId), label: t.nav.trends, icon: ChartLine, key: "t", carries: "comparison" },
      { to: paths.retention(projectId), label: t.nav.retention, icon: Grid2x2Check, key: "r", carries: "days" },
      { to: paths.flows(projectId), label: t.nav.flows, icon: Route, key: "w", carries: "days" },
      { to: paths.sessions(projectId), label: t.nav.sessions, icon: Timer, key: "i", carries: "comparison" },
    ],
  },
  {
    label: t.nav.data,
    places: [
      { to: paths.events(projectId), label: t.nav.events, icon: List, key: "e", carries: "days" },
      { to: paths.live(projectId), label: t.nav.live, icon: Radio, key: "l", counted: projectId },
      { to: paths.people(projectId), label: t.nav.people, icon: UserRound, key: "u" },
      { to: paths.anomalies(projectId), label: t.nav.anomalies, icon: Sparkles, key: "a", carries: "days" },
      { to: paths.alerts(projectId), label: t.nav.alerts, icon: Bell, key: "n" },
    ],
  },
  {
    label: t.nav.manage,
    places: [
      { to: paths.quality(projectId), label: t.nav.quality, icon: ShieldCheck, key: "q" },
      { to: paths.setup(projectId), label: t.nav.setup, icon: CodeXml, key: "c" },
      { to: paths.settings(projectId), label: t.nav.settings, icon: Settings2, key: "s" },
    ],
  },
];

/** The links go on with the days that were chosen. */
export const placesOf = (projectId: string, carried: CarriedDays | null): PlaceGroup[] =>
  allPlaces(projectId).map((group) => ({
    ...group,
    places: group.places.map((place) => ({ ...place, to: withCarried(place.to, place.carries, carried) })),
  }));

/** The places of the organization, which need no project: all of them, and those that stand open to each member. */
export const officePlaces: Place[] = [
  { to: paths.members, label: t.nav.members, icon: Users, key: "m" },
  { to: paths.audit, label: t.nav.audit, icon: ScrollText },
  { to: paths.system, label: t.nav.system, icon: Server, key: "y" },
];
export const memberPlaces = officePlaces.slice(0, 1);
