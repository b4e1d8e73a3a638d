import { api, dataOf } from "@/api/client";
import type { DateNoteChoice } from "@/api/saved-types";
import type { DayRange } from "@/lib/dates";
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

/** Null lists all of them. */
export const notesQuery = (projectId: string, range: DayRange | null) =>
  queryOptions({
    queryKey: ["notes", projectId, range],
    queryFn: ({ signal }) =>
      dataOf(
        api.GET("/api/v1/projects/{project_id}/notes", {
          params: { path: { project_id: projectId }, query: range ? { start_date: range.start, end_date: range.end } : {} },
          signal,
        }),
      ),
    select: (answer) => answer.notes,
  });

export function useSaveNote(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, body }: { id: string | null; body: DateNoteChoice }) =>
      id === null
        ? dataOf(api.POST("/api/v1/projects/{project_id}/notes", { params: { path: { project_id: projectId } }, body }))
        : dataOf(api.PUT("/api/v1/projects/{project_id}/notes/{note_id}", { params: { path: { project_id: projectId, note_id: id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["notes", projectId] }),
  });
}

export const deleteNote = (projectId: string, id: string): Promise<unknown> =>
  dataOf(api.DELETE("/api/v1/projects/{project_id}/notes/{note_id}", { params: { path: { project_id: projectId, note_id: id } } }));
