import { useMay } from "@/features/account/use-role";
import { projectsQuery } from "@/features/projects/queries";
import { t } from "@/lib/strings";
import { Mark } from "@/ui/mark";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { useQuery } from "@tanstack/react-query";
import { Check, ChevronsUpDown, LayoutGrid, Plus } from "lucide-react";
import { useNavigate } from "react-router";
import { paths } from "./paths";

export function ProjectSwitch({ projectId }: { projectId: string | undefined }) {
  const projects = useQuery(projectsQuery);
  const navigate = useNavigate();
  const mayMake = useMay("admin");
  const current = projects.data?.find((project) => project.id === projectId);
  return (
    <Menu
      align="start"
      className="w-64"
      trigger={
        <button
          type="button"
          className="flex h-10 min-w-0 items-center gap-2.5 rounded-lg px-1.5 text-left transition-colors duration-150 hover:bg-hover data-[state=open]:bg-hover lg:w-full"
        >
          <Mark className="size-6 shrink-0" />
          <span className="sr-only">{t.nav.switchProject}</span>
          <span dir="auto" className="stranger line-clamp-1 min-w-0 flex-1 text-base font-semibold tracking-[-0.01em]">
            {current?.name ?? t.product}
          </span>
          <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-ink-faint" />
        </button>
      }
    >
      {projects.data && projects.data.length > 0 && (
        <>
          <MenuLabel>{t.projects.title}</MenuLabel>
          <div className="max-h-72 overflow-y-auto">
            {projects.data.map((project) => (
              <MenuItem key={project.id} onSelect={() => void navigate(paths.overview(project.id))}>
                <span dir="auto" className="stranger line-clamp-1 flex-1">
                  {project.name}
                </span>
                {project.id === projectId && <Check aria-hidden />}
              </MenuItem>
            ))}
          </div>
          <MenuLine />
        </>
      )}
      <MenuItem onSelect={() => void navigate(paths.projects)}>
        <LayoutGrid aria-hidden />
        {t.nav.projects}
      </MenuItem>
      {mayMake && (
        <MenuItem onSelect={() => void navigate(paths.newProject)}>
          <Plus aria-hidden />
          {t.nav.newProject}
        </MenuItem>
      )}
    </Menu>
  );
}
