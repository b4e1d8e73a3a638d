import { paths } from "@/app/paths";
import { Link } from "react-router";
import { words } from "./words";

/** For pages that know events only: a request that is refused as a whole never becomes one. */
export function DoorNote({ projectId }: { projectId: string }) {
  return (
    <>
      {words.door.text}{" "}
      <Link to={paths.setup(projectId)} className="rounded text-accent-ink underline underline-offset-2">
        {words.door.link}
      </Link>
    </>
  );
}
