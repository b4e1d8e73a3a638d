import { useMay } from "@/features/account/use-role";
import { memberPlaces, officePlaces, type Place } from "./navigation";

/** The places of the organization that the service shows to the session's role. */
export const useOfficePlaces = (): Place[] => (useMay("admin") ? officePlaces : memberPlaces);
