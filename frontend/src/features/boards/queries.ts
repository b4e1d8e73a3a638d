import { api, dataOf } from "@/api/client";
import type { Board, BoardChoice, SavedView, ViewChoice } from "@/api/saved-types";
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

export const boardsQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["boards", projectId],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects/{project_id}/boards", { params: { path: { project_id: projectId } }, signal })),
    select: (answer) => answer.boards,
  });

export const boardQuery = (projectId: string, boardId: string) =>
  queryOptions({
    queryKey: ["board", projectId, boardId],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/projects/{project_id}/boards/{board_id}", { params: { path: { project_id: projectId, board_id: boardId } }, signal })),
  });

export const viewsQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["views", projectId],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/projects/{project_id}/views", { params: { path: { project_id: projectId } }, signal })),
    select: (answer) => answer.views,
  });

export const createBoard = (projectId: string, body: BoardChoice): Promise<Board> =>
  dataOf(api.POST("/api/v1/projects/{project_id}/boards", { params: { path: { project_id: projectId } }, body }));

export const putBoard = (board: Pick<Board, "id" | "project_id" | "version">, body: BoardChoice): Promise<Board> =>
  dataOf(
    api.PUT("/api/v1/projects/{project_id}/boards/{board_id}", {
      params: { path: { project_id: board.project_id, board_id: board.id } },
      headers: { "If-Match": `"${board.version}"` },
      body,
    }),
  );

export const deleteBoard = (projectId: string, boardId: string): Promise<unknown> =>
  dataOf(api.DELETE("/api/v1/projects/{project_id}/boards/{board_id}", { params: { path: { project_id: projectId, board_id: boardId } } }));

export const createView = (projectId: string, body: ViewChoice): Promise<SavedView> =>
  dataOf(api.POST("/api/v1/projects/{project_id}/views", { params: { path: { project_id: projectId } }, body }));

export const deleteView = (projectId: string, viewId: string): Promise<unknown> =>
  dataOf(api.DELETE("/api/v1/projects/{project_id}/views/{view_id}", { params: { path: { project_id: projectId, view_id: viewId } } }));

export function useCreateBoard(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: BoardChoice) => createBoard(projectId, body),
    onSuccess: (board) => {
      client.setQueryData(boardQuery(projectId, board.id).queryKey, board);
      return client.invalidateQueries({ queryKey: boardsQuery(projectId).queryKey });
    },
  });
}

/** The parts of a board that a change sends. */
export const choiceOf = (board: Board): BoardChoice => ({ name: board.name, range: board.range ?? null, cards: board.cards });
